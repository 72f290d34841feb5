/** How long the slots of a node that was hurt went without anybody who fires them. */
import { setTimeout as pause } from 'node:timers/promises'
import type { FaultKind, Injury } from './faults.ts'
import type { Ledger, LedgerReader, NodeRow, SlotRow } from './ledger.ts'

export interface NodeHurt {
  readonly node: string
  readonly kind: FaultKind
  readonly at: number
  /** its run then, and the slots that it owned */
  readonly runId: number
  readonly slots: readonly number[]
}

interface Taking {
  readonly slot: number
  readonly ownerRun: number
  readonly takenAt: number
}

const LOOK_EVERY_MS = 100

/** Looks at nodes and slots ten times a second and remembers who took what. */
export class SlotWatch {
  readonly hurts: NodeHurt[] = []
  readonly takings: Taking[] = []
  readonly #reader: LedgerReader
  readonly #fences = new Map<number, number>()
  #nodes: readonly NodeRow[] = []
  #slots: readonly SlotRow[] = []

  /** `reader` is used by nobody else meanwhile */
  constructor(reader: LedgerReader) {
    this.#reader = reader
  }

  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // away with the database; the next look makes a new connection
      await this.#look().catch(() => null)
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => null)
    }
  }

  /** A node is hurt now. */
  note(node: string, kind: FaultKind, at: number): void {
    const runId = this.#nodes.findLast(({ name }) => name === node)?.runId
    const slots = this.#slots.filter(({ ownerRun }) => ownerRun === runId).map(({ id }) => id)
    if (runId !== undefined && slots.length > 0) this.hurts.push({ node, kind, at, runId, slots })
  }

  async #look(): Promise<void> {
    this.#nodes = await this.#reader.nodes()
    const slots = await this.#reader.slots()
    for (const { id, ownerRun, fence, takenAt } of slots) {
      if (ownerRun !== null && this.#fences.get(id) !== fence) this.takings.push({ slot: id, ownerRun, takenAt })
      this.#fences.set(id, fence)
    }
    this.#slots = slots
  }
}

export interface Takeover {
  readonly kind: FaultKind
  /** from the blow until one of its slots fired elsewhere, ms */
  readonly firstMs: number
  /** from the blow until each of its slots that has tasks had fired elsewhere, ms */
  readonly allMs: number
  /** the latest that any firing of its slots was, of those due from the blow until then, ms */
  readonly latestMs: number
  /** nothing else was hurt meanwhile */
  readonly isAlone: boolean
}

/** What the ledger says of each hurt node's slots. One whose slots nobody else took (it was back before the lease was over) is left out. */
export function takeovers({ hurts, takings }: SlotWatch, ledger: Ledger, injuries: readonly Injury[]): Takeover[] {
  const slotOf = new Map(ledger.series.map((series) => [series.id, series.slot]))
  // when those are due, their runs say
  const delays = new Set(ledger.spans.filter(({ schedule }) => schedule.kind === 'fixedDelay').map(({ seriesId }) => seriesId))
  const bySlot = Map.groupBy(ledger.runs, (run) =>
    run.seriesId === null || delays.has(run.seriesId) ? undefined : slotOf.get(run.seriesId),
  )
  return hurts.flatMap((hurt) => {
    // one that was back before anybody took its slots has kept them
    const thawedAt = injuries.find(
      ({ kind, target, from }) =>
        (kind === 'nodeFreeze' || kind === 'nodeWithoutStore' || kind === 'nodeWithoutRedis') &&
        target === hurt.node &&
        from <= hurt.at &&
        hurt.at < from + 1000,
    )?.until
    const gaps = hurt.slots.flatMap((slot) => {
      const taking = takings.find((each) => each.slot === slot && each.takenAt >= hurt.at && each.ownerRun !== hurt.runId)
      if (taking === undefined || (thawedAt !== undefined && taking.takenAt > thawedAt)) return []
      const first = (bySlot.get(slot) ?? []).find(({ createdAt }) => createdAt >= taking.takenAt)
      // a slot whose tasks are due seldom, or were stopped, tells how seldom, not how fast
      return first === undefined || first.dueAt === null || first.createdAt - taking.takenAt > SELDOM_MS ? [] : [first.createdAt - hurt.at]
    })
    if (gaps.length === 0) return []
    const firstMs = Math.min(...gaps)
    const allMs = Math.max(...gaps)
    const over = hurt.at + allMs
    const meanwhile = hurt.slots.flatMap((slot) =>
      (bySlot.get(slot) ?? []).filter(({ dueAt }) => dueAt !== null && hurt.at <= dueAt && dueAt <= over),
    )
    const latestMs = Math.max(...meanwhile.map(({ createdAt, dueAt }) => createdAt - (dueAt ?? createdAt)), 0)
    const others = injuries.filter(({ from, until, target }) => from < over && until > hurt.at && target !== hurt.node)
    return [{ kind: hurt.kind, firstMs, allMs, latestMs, isAlone: others.length === 0 }]
  })
}

const SELDOM_MS = 2_000
