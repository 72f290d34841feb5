import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { createExecutor, type Run } from '@tickwheel/executor'
import { WORK, type Work } from './tasks.ts'

// An executor whose handler notes each start in a file, in a process of its own. It is told where to go by its environment.
const { TORTURE_SERVERS = '', TORTURE_TOKEN = '', TORTURE_NAME = '', TORTURE_SPOOL = '', TORTURE_NOTES = '' } = process.env
const boot = `${TORTURE_NAME}-${String(process.pid)}-${String(Date.now())}`

const executor = createExecutor({
  server: TORTURE_SERVERS.split(','),
  appName: 'default',
  token: TORTURE_TOKEN,
  name: TORTURE_NAME,
  capacity: 200,
  spoolDir: TORTURE_SPOOL,
  builtIn: { shell: true },
  shutdownGraceMs: 4_000,
})

executor.handle(WORK, async ({ instanceId, attempt, params, signal, log }: Run) => {
  // before anything else: what is killed from here on has begun
  appendFileSync(TORTURE_NOTES, `${String(instanceId)} ${String(attempt)} ${boot}\n`)
  const { lastsMs, failsOneIn } = JSON.parse(params) as Work
  if (lastsMs > 0) {
    log.info(`working for ${String(lastsMs)} ms`)
    await pause(lastsMs, undefined, { signal })
  }
  if (failsOneIn > 0 && (instanceId + attempt) % failsOneIn === 0) throw new Error('it was the turn of this one to fail')
  return null
})

process.on('SIGTERM', () => void executor.stop().then(() => process.exit(0)))
await executor.start()
process.stdout.write('joined\n')
