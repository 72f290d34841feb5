import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EngineStatus } from '../engine/commands.ts'

/** What `/metrics` tells: the process, the HTTP server, and the engine's own figures read at the moment of asking. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests: Histogram<'method' | 'route' | 'status'>

  constructor(status: () => EngineStatus, live: () => { readonly connections: number; readonly subscriptions: number }) {
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Histogram({
      name: 'tickwheel_http_request_seconds',
      help: 'Time from request to answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers: [this.#registry],
    })
    const gauges: readonly (readonly [string, string, () => number])[] = [
      ['tickwheel_firing', '1 while this node fires', () => Number(status().isFiring)],
      ['tickwheel_slots_owned', 'Slots that this node owns', () => status().slotsOwned],
      ['tickwheel_timers_armed', 'Timers in the wheel', () => status().armedTimers],
      ['tickwheel_runs_open', 'Runs that have not ended', () => status().openRuns],
      ['tickwheel_runs_queued', 'Runs that wait for an executor', () => status().queuedRuns],
      ['tickwheel_executors_live', 'Executors with a session here', () => status().liveExecutors],
      ['tickwheel_store_away', '1 while the store cannot be reached', () => Number(status().storeAway)],
      ['tickwheel_live_connections', 'Open WebSockets of consoles', () => live().connections],
      ['tickwheel_live_subscriptions', 'Topics that consoles watch', () => live().subscriptions],
    ]
    for (const [name, help, read] of gauges) this.#gauge(name, help, read)
    this.#countEvents(status)
  }

  observeRequest(method: string, route: string, { status, seconds }: { status: number; seconds: number }): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds)
  }

  async text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read())
      },
    })
  }

  #countEvents(status: () => EngineStatus): void {
    const events = new Counter({
      name: 'tickwheel_events_total',
      help: 'What the engine did since its start, by name',
      labelNames: ['event'],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const [event, count] of Object.entries(status().counts)) this.inc({ event }, count)
      },
    })
    events.reset()
  }
}
