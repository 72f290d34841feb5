import type { TaskCreate } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

const MINUTE_LOG = `for i in $(seq 1 60); do
  echo "line $i of 60"
  if [ $((i % 15)) -eq 0 ]; then echo "a quarter of it is done" >&2; fi
  sleep 1
done
`

/** The three samples of an empty console, ready to be created and started in a group. */
export function sampleTasks(groupId: number): TaskCreate[] {
  return [
    { groupId, name: t('tasks.empty.fiveSeconds'), description: t('tasks.empty.fiveSecondsAbout'), enabled: true, schedule: { kind: 'fixedRate', everyMs: 5_000 }, handler: { kind: 'shell', script: 'echo "Hello from Tickwheel, it is $(date)"\n' } },
    { groupId, name: t('tasks.empty.minute'), description: t('tasks.empty.minuteAbout'), enabled: true, schedule: { kind: 'fixedRate', everyMs: 120_000 }, overlap: { policy: 'skip' }, handler: { kind: 'shell', script: MINUTE_LOG } },
    {
      groupId, name: t('tasks.empty.fails'), description: t('tasks.empty.failsAbout'), enabled: true, schedule: { kind: 'fixedRate', everyMs: 30_000 }, retry: { max: 1, delayMs: 2_000 },
      handler: { kind: 'shell', script: 'echo "looking for order 4711"\necho "there is no order 4711" >&2\nexit 3\n' },
    },
  ]
}
