import { setFlagsFromString } from 'node:v8'
import { createExecutor, Type } from '@tickwheel/executor'

// as `tickwheel executor` does: what is printed passes through the young heap, which otherwise grows to 100 MiB and more before it is swept
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--minor-gc-task-trigger=20')

// An executor whose runs print at a steady rate, in a process of its own. It is told where to go by its environment.
const { BENCH_SERVER = '', BENCH_TOKEN = '', BENCH_SPOOL = '', BENCH_NAME = 'bench' } = process.env
const executor = createExecutor({
  server: BENCH_SERVER,
  appName: 'default',
  token: BENCH_TOKEN,
  name: BENCH_NAME,
  capacity: 1000,
  spoolDir: BENCH_SPOOL,
})
const TICK_MS = 20
const FILLER = 'GET /api/orders/8231?region=eu 200 in 12 ms, 18 rows from the replica'

executor.handle(
  'print',
  { params: Type.Object({ perSecond: Type.Integer(), untilMs: Type.Integer(), total: Type.Integer() }) },
  async ({ params, log, signal }) => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const startedAt = Date.now()
    let printed = 0
    const timer = setInterval(() => {
      const now = Date.now()
      const due = Math.min(params.total, Math.floor(((now - startedAt) / 1000) * params.perSecond))
      // the line says itself when it was printed: the clock of the reader is the same
      for (; printed < due; printed += 1) log.info(`${String(now)} ${String(printed)} ${FILLER}`)
      if (printed >= params.total || signal.aborted || now > params.untilMs) resolve(undefined)
    }, TICK_MS)
    await promise
    clearInterval(timer)
    return { printed, ms: Date.now() - startedAt }
  },
)
await executor.start()
process.stdout.write('joined\n')
process.on('SIGTERM', () => void executor.stop({ graceMs: 1000 }).then(() => process.exit(0)))
