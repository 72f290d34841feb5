import type { BusMessage } from './messages.ts'

/** `all`: every node; `node:<run id>`: one; `watchers`: the nodes on which consoles watch. */
export type Channel = 'all' | 'watchers' | `node:${number}`

/**
 * Messages between nodes, at most once: while the bus is away they are lost, and sweeps stand in for them. A sender does not hear itself unless it listens
 * to the channel.
 */
export interface Bus {
  /** Never waits and never throws. */
  publish(channel: Channel, message: BusMessage): void
  /** Until the answer is called. `hear` must not throw. */
  listen(channel: Channel, hear: (message: BusMessage) => void): () => void
  /** Whether messages go through as far as is known. */
  readonly isUp: boolean
  /** Messages that did not go out, or of which that is not known, since the start. Absent where none can be lost. */
  readonly dropped?: number
}
