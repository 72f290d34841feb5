import type { MysqlConnection } from './mysql-connection.ts'

interface Place {
  connection: MysqlConnection | null
  isTaken: boolean
}

/** Idle connections are pinged this often, so that the server does not end them (`wait_timeout` is ten seconds). */
const PING_MS = 3000

/** A few connections for one kind of work, opened when they are needed. Who finds none free waits its turn. */
export class MysqlLane {
  readonly #open: (place: number) => Promise<MysqlConnection>
  readonly #places: readonly Place[]
  readonly #timer: NodeJS.Timeout
  #waiting: ((place: Place) => void)[] = []
  #pings: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(size: number, open: (place: number) => Promise<MysqlConnection>) {
    this.#open = open
    this.#places = Array.from({ length: size }, () => ({ connection: null, isTaken: false }))
    this.#timer = setInterval(() => {
      this.#pings = this.#ping()
    }, PING_MS)
    this.#timer.unref()
  }

  /** Runs `work` on a connection that nobody else uses meanwhile. Throws `StoreAway` when none can be opened. */
  async use<T>(work: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    const place = await this.#take()
    try {
      if (place.connection === null || place.connection.isBroken) place.connection = await this.#open(this.#places.indexOf(place))
      return await work(place.connection)
    } finally {
      this.#give(place)
    }
  }

  /** How the server knows the connections that are open. */
  get threadIds(): number[] {
    return this.#places.flatMap(({ connection }) => (connection === null || connection.isBroken ? [] : [connection.threadId]))
  }

  /** Ends the connections once their work is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#pings
    for (const place of this.#places) {
      if (place.isTaken) await new Promise<Place>((resolve) => this.#waiting.push(resolve))
      place.isTaken = true
    }
    await Promise.all(this.#places.map(async (place) => place.connection?.end()))
  }

  async #take(): Promise<Place> {
    if (this.#isClosed) throw new Error('the store is closed')
    const free = this.#places.find((place) => !place.isTaken)
    if (free === undefined) return new Promise((resolve) => this.#waiting.push(resolve))
    free.isTaken = true
    return free
  }

  #give(place: Place): void {
    const next = this.#waiting.shift()
    if (next === undefined) place.isTaken = false
    else next(place)
  }

  async #ping(): Promise<void> {
    const idle = this.#places.filter((place) => !place.isTaken && place.connection !== null && !place.connection.isBroken)
    for (const place of idle) place.isTaken = true
    await Promise.all(
      idle.map(async (place) => {
        await place.connection?.ping()
        this.#give(place)
      }),
    )
  }
}
