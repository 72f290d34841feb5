import type { ScheduleInput } from '@tickwheel/contract'
import { computed, onScopeDispose, shallowRef, watch, type ComputedRef } from 'vue'
import { previewOnServer } from '../../api/tasks.ts'
import { calendarIdOf } from '../../components/schedule-words.ts'
import { useScheduleCalendar } from '../../components/calendar/use-schedule-calendar.ts'
import { useNow } from '../../components/use-now.ts'
import { currentLocale } from '../../locales/i18n.ts'
import { fieldErrors, problemWords } from '../../locales/problem-words.ts'
import { formatInZone, localZone } from '../../utils/time.ts'
import { COUNT, previewOf, type Preview } from './preview.ts'

const PAUSE_MS = 300

/**
 * What a schedule would do, while it is typed. Rates and delays count the days of a calendar by the server's clock, which this browser does not know:
 * theirs are asked for.
 */
export function usePreview(schedule: () => ScheduleInput, anchorAtMs: () => number): ComputedRef<Preview> {
  const now = useNow()
  const calendar = useScheduleCalendar(() => calendarIdOf(schedule()))
  const served = shallowRef<Preview>({ kind: 'open', words: '…' })
  const isServed = computed(() => calendarIdOf(schedule()) !== null && schedule().kind !== 'cron')
  let timer: ReturnType<typeof setTimeout> | undefined

  watch(() => (isServed.value ? JSON.stringify(schedule()) : null), (asked) => {
    clearTimeout(timer)
    if (asked !== null) timer = setTimeout(() => void ask(asked), PAUSE_MS)
  }, { immediate: true })
  onScopeDispose(() => clearTimeout(timer))

  async function ask(asked: string): Promise<void> {
    const answer = await previewOnServer(schedule(), COUNT).then(
      ({ firings, leftOut, words }): Preview => ({ kind: 'good', words: words[currentLocale()], firings: firings.map(here), leftOut: leftOut.map(here), zone: localZone() }),
      (refused: unknown): Preview => {
        const errors = fieldErrors(refused)
        return Object.keys(errors).length > 0 ? { kind: 'bad', errors } : { kind: 'open', words: problemWords(refused) }
      },
    )
    if (isServed.value && JSON.stringify(schedule()) === asked) served.value = answer
  }

  return computed(() => (isServed.value ? served.value : previewOf({ schedule: schedule(), nowMs: now.value, anchorAtMs: anchorAtMs(), locale: currentLocale(), calendar: calendar.value })))
}

/** The server shows its own time, the console this browser's. */
function here<Firing extends { readonly at: string }>(firing: Firing): Firing & { readonly local: string } {
  return { ...firing, local: formatInZone(firing.at, localZone()) }
}
