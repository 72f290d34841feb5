/** Every length of time the executor goes by. Constants in production; tests shorten them. */
export interface Timing {
  /** an attempt is remembered this long after its result was acknowledged */
  readonly rememberEndedMs: number
  /** a cancel that came before its dispatch is remembered this long */
  readonly rememberCancelMs: number
  /** lines wait at most this long for company */
  readonly logFlushMs: number
  /** the same while no server is there to read them: fewer, larger chunks */
  readonly logFlushAwayMs: number
  readonly progressMs: number
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  /** a link that stood this long makes up for the tries before it */
  readonly settledMs: number
  /** a refused registration (bad token, unknown group) is tried again this often */
  readonly refusedRetryMs: number
  readonly requestTimeoutMs: number
  /** no answer to a heartbeat for this long: try another connection */
  readonly silentMs: number
  /** the share of `deadMs` after which a movable run stops by itself: 12 s of 15 s */
  readonly movableShare: number
  /** what is left of a process group after its leader ended gets at most this long before SIGKILL */
  readonly leftoverGraceMs: number
  /** how long `stop` waits for acknowledgements */
  readonly farewellMs: number
}

export const TIMING: Timing = {
  rememberEndedMs: 30_000,
  rememberCancelMs: 60_000,
  logFlushMs: 50,
  logFlushAwayMs: 1_000,
  progressMs: 100,
  reconnectMinMs: 200,
  reconnectMaxMs: 5_000,
  settledMs: 2_000,
  refusedRetryMs: 15_000,
  requestTimeoutMs: 10_000,
  silentMs: 5_000,
  movableShare: 0.8,
  leftoverGraceMs: 5_000,
  farewellMs: 10_000,
}
