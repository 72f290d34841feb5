import { createExecutor } from '@tickwheel/executor'

// An executor with one handler that does nothing, in a process of its own. It is told where to go by its environment.
const { BENCH_SERVER = '', BENCH_TOKEN = '', BENCH_SPOOL = '' } = process.env
const executor = createExecutor({
  server: BENCH_SERVER,
  appName: 'default',
  token: BENCH_TOKEN,
  name: 'bench',
  capacity: 1000,
  spoolDir: BENCH_SPOOL,
  builtIn: { shell: false, script: false, http: false },
})
executor.handle('noop', async () => null)
await executor.start()
process.stdout.write('joined\n')
process.on('SIGTERM', () => void executor.stop({ graceMs: 1000 }).then(() => process.exit(0)))
