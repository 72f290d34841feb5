import type { Finished, MappedShard, RejectCode, RunningAttempt, Verdict } from '@tickwheel/contract'
import type { Item, Outbox } from '../link/outbox.ts'
import type { LogChunk, LogDrain, LogTotals } from '../log/attempt-log.ts'
import type { Spool } from '../spool/spool.ts'

/** Which attempt a frame is about. */
export type AttemptKey = RunningAttempt

/** The end of an attempt, without its number on the connection. */
export type End = Omit<Finished, 'n' | 'type' | 'instanceId' | 'attempt'>

type Judged = (verdict: Verdict) => void

/** what a frame costs beside its text */
const ITEM_BYTES = 32

export function laneOf(key: AttemptKey): string {
  return `${String(key.instanceId)}/${String(key.attempt)}`
}

/** Makes frames of what happens and puts them into the outbox; what must outlive the process goes to the spool first. */
export class Reporter {
  readonly #outbox: Outbox
  readonly #spool: Spool

  constructor(outbox: Outbox, spool: Spool) {
    this.#outbox = outbox
    this.#spool = spool
  }

  accepted(key: AttemptKey, at: number): void {
    this.#state(key, { type: 'accepted', ...key, at })
  }

  started(key: AttemptKey, at: number): void {
    this.#state(key, { type: 'started', ...key, at })
  }

  rejected(key: AttemptKey, at: number, why: { readonly code: RejectCode; readonly detail: string }, judged: Judged): void {
    this.#state(key, { type: 'rejected', ...key, at, code: why.code, detail: why.detail.slice(0, 1000) }, judged)
  }

  progress(key: AttemptKey, at: number, progress: { readonly value: number; readonly text: string }): void {
    this.#state(key, { type: 'progress', ...key, at, ...progress })
  }

  /** Not written to the disk: the attempt waits until the server has it, and one that is lost begins anew. */
  mapped(
    key: AttemptKey,
    frame: { readonly bootId: number; readonly seq: number; readonly shards: readonly MappedShard[] },
    judged: Judged,
  ): void {
    this.#outbox.push({ ...itemOf(laneOf(key), { type: 'map', ...key, ...frame }, judged), isMap: true })
  }

  /** Where the chunks of an attempt's log go. */
  logDrain(key: AttemptKey): LogDrain {
    const lane = laneOf(key)
    return {
      hasRoom: (bytes) => this.#spool.hasRoomForLog(bytes),
      send: (chunk) => this.#log(key, chunk),
      isCongested: () => this.#outbox.isCongested(lane),
      relieved: () => this.#outbox.relieved(lane),
    }
  }

  /** The end of the log and of the attempt: both are on the disk before they are sent. */
  ended(key: AttemptKey, totals: LogTotals, end: End, judged: Judged): void {
    const lane = laneOf(key)
    const items = [itemOf(lane, { type: 'logEnd', ...key, ...totals }), itemOf(lane, { type: 'finished', ...key, ...end }, judged)]
    const entries = this.#spool.appendEnds(items.map((item) => `{${item.body ?? ''}`))
    items.forEach((item, place) => this.#outbox.push({ ...item, entry: entries[place] ?? null }))
  }

  /** An end that was acknowledged before and is asked for again. */
  finishedAgain(key: AttemptKey, end: End): void {
    this.#state(key, { type: 'finished', ...key, ...end })
  }

  recovered(bootId: number): void {
    this.#outbox.push(itemOf('executor', { type: 'recovered', bootId }))
  }

  draining(): void {
    this.#outbox.push(itemOf('executor', { type: 'drain' }))
  }

  #state(key: AttemptKey, frame: object, judged?: Judged): void {
    this.#outbox.push(itemOf(laneOf(key), frame, judged))
  }

  #log(key: AttemptKey, chunk: LogChunk): boolean {
    const isLoss = chunk.dropped > 0
    const dropped = isLoss ? `,"dropped":${String(chunk.dropped)}` : ''
    const body = `"type":"log","instanceId":${String(key.instanceId)},"attempt":${String(key.attempt)},"firstSeq":${String(chunk.firstSeq)},"lines":${chunk.linesJson}${dropped}}`
    const entry = isLoss ? null : this.#spool.appendLog(`{${body}`)
    if (entry === null && !isLoss) return false
    // the entry's own length is the size in bytes
    this.#outbox.push({ lane: laneOf(key), isLog: true, bytes: (entry?.length ?? body.length) + ITEM_BYTES, body, entry })
    return true
  }
}

function itemOf(lane: string, frame: object, judged?: Judged): Item {
  const body = JSON.stringify(frame).slice(1)
  return { lane, isLog: false, bytes: Buffer.byteLength(body) + ITEM_BYTES, body, entry: null, judged }
}
