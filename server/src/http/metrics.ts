import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Cluster } from '../cluster/cluster.ts'
import type { EngineStatus } from '../engine/commands.ts'

export interface Observed {
  readonly status: () => EngineStatus
  readonly live: () => { readonly connections: number; readonly subscriptions: number }
  /** `none`: this node is alone, and nothing is told of Redis */
  readonly cluster: Pick<Cluster, 'state'> & { readonly bus: Pick<Cluster['bus'], 'dropped'> }
  /** how far the clock of this machine is ahead of cluster time */
  readonly skewMs: () => number
  /** what is reckoned of the ledger, over all nodes; null: nothing yet */
  readonly reckoner: () => Promise<ReckonedFigures | null>
  /** cluster time, epoch ms */
  readonly now: () => number
}

/** `due_at`: how far it is reckoned, epoch ms. */
export interface ReckonedFigures {
  readonly due_at: number
  readonly fired: number
  readonly skipped: number
  readonly missing: number
  readonly doubled: number
}

/** What `/metrics` tells: the process, the HTTP server, and the engine's own figures read at the moment of asking. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests: Histogram<'method' | 'route' | 'status'>

  constructor({ status, live, cluster, skewMs, reckoner, now }: Observed) {
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
      ['tickwheel_firing_held', '1 while nothing fires because the store was restored', () => Number(status().held !== null)],
      ['tickwheel_slots_owned', 'Slots that this node owns', () => status().slotsOwned],
      [
        'tickwheel_beat_age_seconds',
        'Age of the last beat that was written; at 3 s others take the slots',
        () => (status().beatAgeMs ?? 0) / 1000,
      ],
      [
        'tickwheel_slots_contended',
        'How often another node took a slot that this one tried for, since its start',
        () => status().contended,
      ],
      ['tickwheel_wheel_lag_seconds', 'How late the wheel was, the worst of the last seconds', () => status().lagMs / 1000],
      ['tickwheel_clock_skew_seconds', 'How far the clock of this machine is ahead of cluster time', () => skewMs() / 1000],
      ['tickwheel_timers_armed', 'Timers in the wheel', () => status().armedTimers],
      ['tickwheel_runs_open', 'Runs that have not ended', () => status().openRuns],
      ['tickwheel_runs_queued', 'Runs that wait for an executor', () => status().queuedRuns],
      ['tickwheel_executors_live', 'Executors with a session here', () => status().liveExecutors],
      ['tickwheel_store_away', '1 while the store cannot be reached', () => Number(status().storeAway)],
      ['tickwheel_live_connections', 'Open WebSockets of consoles', () => live().connections],
      ['tickwheel_live_subscriptions', 'Topics that consoles watch', () => live().subscriptions],
    ]
    for (const [name, help, read] of gauges) this.#gauge(name, help, read)
    if (cluster.state !== 'none') this.#tellRedis(cluster)
    this.#countEvents(status)
    this.#tellReckoned(reckoner, now)
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

  #tellRedis(cluster: Observed['cluster']): void {
    this.#gauge('tickwheel_redis_up', '1 while Redis answers', () => Number(cluster.state === 'ok'))
    this.#gauge('tickwheel_bus_dropped', 'Messages to other nodes that did not go out, since its start', () => cluster.bus.dropped ?? 0)
  }

  /** Read from the store at most once a scrape; all nodes tell the same. While the store is away they tell what they told last. */
  #tellReckoned(reckoner: Observed['reckoner'], now: () => number): void {
    let last: ReckonedFigures | null = null
    let reading: Promise<void> | null = null
    const read = async (): Promise<ReckonedFigures | null> => {
      reading ??= reckoner()
        .then(
          (figures) => void (last = figures),
          () => undefined,
        )
        .finally(() => (reading = null))
      await reading
      return last
    }
    const counters: readonly (readonly [string, string, (figures: ReckonedFigures) => number])[] = [
      [
        'tickwheel_firings_expected_total',
        'Instants that were due, over all nodes',
        ({ fired, skipped, missing }) => fired + skipped + missing,
      ],
      ['tickwheel_firings_fired_total', 'Those of them that fired', ({ fired }) => fired],
      ['tickwheel_firings_skipped_total', 'Those that did not fire, with a reason', ({ skipped }) => skipped],
      [
        'tickwheel_firings_missing_total',
        'Those of which the ledger does not say what became: 0, or data was lost',
        ({ missing }) => missing,
      ],
      [
        'tickwheel_firings_doubled_total',
        'Instants that were settled twice, or fired without being due: 0, or data was changed',
        ({ doubled }) => doubled,
      ],
    ]
    for (const [name, help, valueOf] of counters)
      new Counter({
        name,
        help,
        registers: [this.#registry],
        async collect() {
          const figures = await read()
          this.reset()
          if (figures !== null) this.inc(valueOf(figures))
        },
      })
    new Gauge({
      name: 'tickwheel_reckoner_lag_seconds',
      help: 'How far the ledger is reckoned behind now; half a minute is usual',
      registers: [this.#registry],
      async collect() {
        const figures = await read()
        this.set(figures === null || figures.due_at === 0 ? 0 : Math.max(0, now() - figures.due_at) / 1000)
      },
    })
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
