import { join } from 'node:path'
import { createExecutor } from '@tickwheel/executor'

// Some executors in one process, each with a link of its own and one handler that does nothing. They are told where to go by their environment.
const {
  BENCH_SERVER = '',
  BENCH_TOKEN = '',
  BENCH_SPOOL = '',
  BENCH_APP = '',
  BENCH_NAME = '',
  BENCH_COUNT = '1',
  BENCH_CAPACITY = '1',
} = process.env
const executors = Array.from({ length: Number(BENCH_COUNT) }, (_, index) => {
  const name = `${BENCH_NAME}-${index}`
  const executor = createExecutor({
    server: BENCH_SERVER,
    appName: BENCH_APP,
    token: BENCH_TOKEN,
    name,
    capacity: Number(BENCH_CAPACITY),
    spoolDir: join(BENCH_SPOOL, name),
    builtIn: { shell: false, script: false, http: false },
  })
  executor.handle('noop', async () => null)
  return executor
})
await Promise.all(executors.map((executor) => executor.start()))
process.stdout.write('joined\n')
process.on('SIGTERM', () => void Promise.all(executors.map((executor) => executor.stop({ graceMs: 1000 }))).then(() => process.exit(0)))
