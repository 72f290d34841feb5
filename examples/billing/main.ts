/*
 * An executor of its own: run it from a clone, beside a server.
 *
 *   EXECUTOR_TOKEN=twe_… npm run example billing
 *
 * It joins the group with the appName `billing` and runs tasks whose handler is the named function `syncOrders`.
 */
import { createExecutor } from '@tickwheel/executor'

const executor = createExecutor({
  server: process.env['TICKWHEEL_SERVER'] ?? 'http://localhost:8080',
  appName: 'billing',
  token: process.env['EXECUTOR_TOKEN'] ?? '',
  spoolDir: process.env['EXECUTOR_SPOOL'],
})

executor.handle('syncOrders', async (run) => {
  const orders = ordersOf(run.params)
  for (const [index, order] of orders.entries()) {
    run.signal.throwIfAborted() // on cancel, on time-out, and when this process stops
    await save(order, `${String(run.instanceId)}/${String(run.attempt)}`)
    run.log.info(`saved order ${order}`)
    run.progress((index + 1) / orders.length)
  }
  return { saved: orders.length }
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void executor.stop())
await executor.start()
console.log('billing has joined; stop it with Ctrl-C')

/** The orders that a task names in its params, `A-1,A-2`. */
function ordersOf(params: string): string[] {
  return params.split(',').filter((order) => order !== '')
}

/** Stands for your own store. The token names this attempt for ever: a store that remembers it can refuse a second writer. */
async function save(order: string, token: string): Promise<void> {
  await Promise.resolve([order, token])
}
