/*
 * An executor of its own: run it from a clone, beside a server.
 *
 *   EXECUTOR_TOKEN=twe_… npm run example billing
 *
 * It joins the group with the appName `billing` and has three functions for its tasks:
 *
 *   syncOrders   {"orders":["A-1","A-2"]}   saves orders over HTTP: typed parameters, lines, progress, cancel, and no order saved twice
 *   addInvoice   {"positions":1000000}      computes on a worker thread (invoice.ts)
 *   billAll      {"customers":250}          splits itself into a shard for each customer, and adds up what they came to
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createExecutor, idempotencyHeaders, RunFailure, Type, type Run } from '@tickwheel/executor'
import { OrderStore } from './store.ts'

// stands for your own store: one in this process, unless the environment names another
const store = process.env['BILLING_STORE'] ?? (await new OrderStore().start())

const executor = createExecutor({
  server: process.env['TICKWHEEL_SERVER'] ?? 'http://localhost:8080',
  appName: 'billing',
  token: process.env['EXECUTOR_TOKEN'] ?? '',
  spoolDir: process.env['EXECUTOR_SPOOL'],
  labels: { team: 'billing' },
})

// The console makes a form of this. A run whose parameters do not fit fails before the function is called, and names the field.
const Sync = Type.Object(
  {
    orders: Type.Array(Type.String({ pattern: '^[A-Z]-[0-9]+$' }), { description: 'numbers of the orders, like A-1' }),
    pauseMs: Type.Integer({ minimum: 0, maximum: 60_000, default: 0, description: 'rest after each order' }),
    dryRun: Type.Boolean({ default: false, description: 'look, and save nothing' }),
  },
  { additionalProperties: false },
)

executor.handle('syncOrders', { params: Sync, concurrency: 2, description: 'Saves orders in the store' }, async (run) => {
  const { orders, pauseMs, dryRun } = run.params
  for (const [index, order] of orders.entries()) {
    run.signal.throwIfAborted() // on cancel, on time-out, and when this process stops
    if (!dryRun) await save(order, run)
    run.log.info(dryRun ? `would save order ${order}` : `saved order ${order}`)
    run.progress((index + 1) / orders.length, order)
    await sleep(pauseMs, undefined, { signal: run.signal })
  }
  return { saved: dryRun ? 0 : orders.length }
})

executor.handleModule('addInvoice', new URL('./invoice.ts', import.meta.url), 'addInvoice', {
  params: Type.Object({ positions: Type.Integer({ minimum: 1, maximum: 100_000_000 }) }),
  description: 'Adds up an invoice, on a thread of its own',
})

// Each part is an attempt of its own: customers are billed on every executor of the group that has room, when all of them are known.
executor.handle(
  'billAll',
  { params: Type.Object({ customers: Type.Integer({ minimum: 0, maximum: 10_000 }) }), description: 'Bills every customer, and adds up' },
  {
    *split(run) {
      for (let number = 1; number <= run.params.customers; number += 1) yield { customer: `C-${String(number)}`, positions: number }
    },
    work: (run, { customer, positions }) => {
      run.log.info(`billing ${customer}`)
      return { cents: positions * 100 }
    },
    async reduce(run, results) {
      let [billed, cents] = [0, 0]
      for await (const one of results) {
        if (one.state !== 'succeeded')
          throw new RunFailure('NOT_ALL_BILLED', `${one.key} was not billed: ${one.error?.message ?? one.state}`)
        billed += 1
        cents += one.result.cents
      }
      run.log.info(`billed ${String(billed)} customers`)
      return { billed, cents }
    },
    key: ({ customer }) => customer,
  },
)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void executor.stop().then(() => process.exit()))
await executor.start()
console.log('billing has joined; stop it with Ctrl-C')

/** Each attempt of a run sends the same key for an order, so that it is saved once; a token that grows keeps an attempt out that was replaced. */
async function save(order: string, run: Pick<Run, 'idempotencyKey' | 'fencingToken' | 'signal'>): Promise<void> {
  const answer = await fetch(new URL(`/order/${order}`, store), {
    method: 'PUT',
    headers: idempotencyHeaders(run, order),
    signal: run.signal,
  })
  if (!answer.ok)
    throw new RunFailure('ORDER_REFUSED', `the store refused order ${order} with status ${String(answer.status)}: ${await answer.text()}`)
}
