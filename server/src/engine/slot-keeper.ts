import { ownersOf } from '@tickwheel/core'
import { ClusterAway } from '../cluster/away.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Lease } from '../cluster/lease.ts'
import type { NodeBeat } from '../cluster/members.ts'
import { StoreAway, type Database } from '../store/database.ts'
import { SCHEMA_LEVEL } from '../store/migrate.ts'
import { beatNode, evictOthers, leaveCluster, pruneNodes, readCluster, type ClusterRows } from '../store/nodes.ts'
import type { NodeRow } from '../store/schema.ts'
import { releaseSlots, takeSlots, type Fences } from '../store/slots.ts'
import type { Clock, Wake } from './clock.ts'
import { factsOf } from './cluster-view.ts'
import type { NodeFacts } from './commands.ts'
import { Pump } from './pump.ts'

const BEAT_MS = 1000
/** A process of which no beat has come for so long has lost its slots. */
export const LEASE_MS = 3000
/** A node stops firing by itself so long after it sent its last successful beat: before its slots can be taken. */
const TRUST_MS = 2500
const PRUNE_EVERY_MS = 60_000
/** Added to the instant at which slots may be taken, so that the look does not come a moment too early. */
const STALE_MARGIN_MS = 20
/** How often a node looks whether slots that it should have are free, where nobody can tell it. */
const UNTOLD_MS = 200
/** A lease in Redis that has a moment left is tried for again so soon. */
const LEASE_AGAIN_MS = 100

export interface NodeIdentity {
  readonly runId: number
  readonly name: string
  readonly url: string
  readonly roles: readonly ('api' | 'scheduler')[]
  readonly version: string
}

/** How this node hands on what it learns of slots. */
export interface SlotEvents {
  /** Slots are this node's now: bring what is open of them into memory. Nothing is decided for them before the promise resolves. */
  readonly onGained: (slots: ReadonlySet<number>) => Promise<void>
  /** Slots are no longer this node's, and nothing may be decided for them: forget them. Resolves when no transaction that names them is under way. */
  readonly onLost: (slots: ReadonlySet<number>) => Promise<void>
  /** Slots of nodes that beat no more are this node's now. */
  readonly onTakenOver: (slots: number, from: readonly string[]) => void
  /** `gapMs`: since the beat before this one was sent. */
  readonly onBeat: (isWritten: boolean, gapMs: number) => void
  /** The nodes, as they are now. `beats`: as they see each other through Redis; null: it does not answer. */
  readonly onLook: (beats: readonly NodeBeat[] | null) => void
}

export interface SlotKeeperOptions extends SlotEvents {
  readonly db: Database
  readonly clock: Clock
  readonly node: NodeIdentity
  readonly cluster: Pick<Cluster, 'leases' | 'bus' | 'members' | 'state'>
  readonly facts: () => NodeFacts
  readonly isWatching: () => boolean
  readonly onTrouble: (error: unknown) => void
}

/**
 * Which slots this node owns, under which fences, and whether it may still believe so.
 *
 * Each second it writes a beat and looks at nodes and slots as the database has them. Who should own a slot is the rendezvous of the live schedulers;
 * who does own it is the slot's row. It takes what is free, or whose owner beats no more (the lease in Redis first, so that one node tries), and gives up
 * what a newcomer should have. Trust is counted in monotonic time from when the last successful beat was sent; it is courtesy: the fence in each
 * transaction is the safety.
 */
export class SlotKeeper {
  readonly #options: SlotKeeperOptions
  readonly #looks: Pump
  /** the fences of the slots that are this node's by their rows */
  readonly #held = new Map<number, number>()
  /** those of them of which memory has everything that is open */
  readonly #slots = new Set<number>()
  #rows: ClusterRows = { now: 0, nodes: [], slots: [] }
  #lookedAt = -Infinity
  /** the last beat of each node, and since when it is the last */
  #beatsSeen = new Map<number, { readonly beatAt: number; readonly since: number }>()
  #prunedAt = -Infinity
  #beatSentAt = -Infinity
  /** since when every beat was written in time, monotonic */
  #steadySince = Infinity
  /** nothing is believed until the next look: this process was frozen, or the store was away */
  #isBlind = false
  #wake: Wake | null = null
  #stale: Wake | null = null
  #beating: Promise<void> | null = null
  #sharing: Promise<void> | null = null
  /** the nodes as they last saw each other through Redis; null: it does not answer */
  #beats: readonly NodeBeat[] | null = null
  #isStopped = false
  #contended = 0

  constructor(options: SlotKeeperOptions) {
    this.#options = options
    this.#looks = new Pump(options, () => this.#look())
  }

  /** Slots that may be decided for. */
  get slots(): ReadonlySet<number> {
    return this.#slots
  }

  /** Whether memory keeps the runs of a slot. */
  holds(slot: number): boolean {
    return this.#held.has(slot)
  }

  /** Whether decisions may be made from memory. */
  get isTrusted(): boolean {
    return this.isSteady && this.#slots.size > 0 && !this.#isBlind
  }

  /** Whether this node's beats are written in time, which is all that a node without slots can tell of itself. */
  get isSteady(): boolean {
    return !this.#isStopped && this.#sinceBeat < TRUST_MS
  }

  get #sinceBeat(): number {
    return this.#options.clock.monotonic() - this.#beatSentAt
  }

  /** For how long every beat was written in time, ms. */
  get steadyMs(): number {
    return this.#steadySince === Infinity ? 0 : Math.round(this.#options.clock.monotonic() - this.#steadySince)
  }

  /** How long ago the last beat that was written was sent, ms; null: none was yet. */
  get beatAgeMs(): number | null {
    return this.#beatSentAt === -Infinity ? null : Math.round(this.#sinceBeat)
  }

  get isBeating(): boolean {
    return this.#beating !== null || this.#sharing !== null || this.#looks.isBusy
  }

  /** How often another process took a slot that this one tried for, since it started. */
  get contended(): number {
    return this.#contended
  }

  /** What every live node knows: codes and frames of a later level may not be used. */
  get level(): number {
    return this.live.reduce((level, node) => Math.min(level, node.level), SCHEMA_LEVEL)
  }

  /** Nodes whose beats came in time when this node last looked, itself among them. */
  get live(): readonly NodeRow[] {
    return this.#rows.nodes.filter((node) => node.run_id === this.#options.node.runId || this.#isAlive(node))
  }

  /** Whether another node is alive. */
  get hasOthers(): boolean {
    return this.live.some((node) => node.run_id !== this.#options.node.runId)
  }

  /** Live nodes that own slots, by run id, ascending. */
  get schedulers(): readonly number[] {
    return this.live.filter(isScheduler).map((node) => node.run_id)
  }

  /** Whether a process is alive, as of the last look. */
  isLive(runId: number): boolean {
    return this.live.some((node) => node.run_id === runId)
  }

  /** Who owns a slot, as of the last look; null: nobody, or nobody who lives. */
  ownerOf(slot: number): number | null {
    const owner = this.#rows.slots[slot]?.owner_run ?? null
    return owner !== null && this.isLive(owner) ? owner : null
  }

  /** Nodes and slots as of the last look. `now`: by the database's clock, as of now. */
  get rows(): ClusterRows {
    const passed = this.#options.clock.monotonic() - this.#lookedAt
    return { ...this.#rows, now: this.#rows.now + Math.round(passed) }
  }

  #isAlive(node: NodeRow): boolean {
    return this.#lookedAt - this.#silentSince(node) < LEASE_MS
  }

  /** Since when this node has seen no new beat of another, monotonic. */
  #silentSince({ run_id: runId }: NodeRow): number {
    return this.#beatsSeen.get(runId)?.since ?? -Infinity
  }

  /**
   * Beats are compared with themselves, so that a clock of the database that is set makes nobody dead or immortal: a beat that does not change for as
   * long as a lease lasts, by this node's monotonic clock, is the last. Where the database's clock is plausible it says how old the beat was when it was
   * first seen.
   */
  #compareBeats(): void {
    const before = this.#beatsSeen
    this.#beatsSeen = new Map(
      this.#rows.nodes.map((node) => {
        const known = before.get(node.run_id)
        if (known?.beatAt === node.beat_at) return [node.run_id, known]
        const age = this.#rows.now - node.beat_at
        const isPlausible = age >= 0 && (known === undefined || age <= 2 * BEAT_MS)
        return [node.run_id, { beatAt: node.beat_at, since: this.#lookedAt - (isPlausible ? age : 0) }]
      }),
    )
  }

  /** Until no beat and no look is on its way. */
  async idle(): Promise<void> {
    while (this.isBeating) {
      await this.#beating
      await this.#sharing
      await this.#looks.idle()
    }
  }

  /** The fences of some slots, for a transaction. A slot that is not this node's has none, and the transaction drops what it holds of it. */
  fencesOf(slots: Iterable<number>): Fences {
    const some = new Map<number, number>()
    for (const slot of slots) {
      const fence = this.#held.get(slot)
      if (fence !== undefined && this.#slots.has(slot)) some.set(slot, fence)
    }
    return some
  }

  /** Joins, and takes what is free. Throws `StoreAway`. */
  async start(): Promise<void> {
    const { db, cluster, node } = this.#options
    await this.#writeBeat()
    if (cluster.state === 'none') await evictOthers(db, node.runId)
    // by the pump, because a message of another node that starts may ask for a look at the same time
    this.kick()
    await this.#looks.idle()
    if (this.#lookedAt === -Infinity) throw new StoreAway('the first look at nodes and slots failed')
    this.#tellOthers()
    this.#sleep()
  }

  /** Something has changed elsewhere: look at once. */
  kick(): void {
    if (!this.#isStopped) this.#looks.kick()
  }

  /** Nothing is decided from memory any more. */
  async retire(): Promise<void> {
    this.#isStopped = true
    this.#wake?.cancel()
    this.#stale?.cancel()
    await this.#looks.stop()
    await this.#beating
    await this.#sharing
  }

  /** An orderly leave: the slots are free at once, and the others are told. Call after the last transaction. */
  async leave(): Promise<void> {
    const { db, node, cluster } = this.#options
    const slots = [...this.#held.keys()]
    await leaveCluster(db, node.runId)
    this.#slots.clear()
    this.#held.clear()
    await this.#ifRedis(() => Promise.all([cluster.leases.release(node.runId, slots), cluster.members.leave(node.runId)]), undefined)
    this.#tellOthers()
  }

  /** Who holds which lease in Redis; empty while it is away. */
  async leases(): Promise<readonly Lease[]> {
    return this.#ifRedis(() => this.#options.cluster.leases.holders(), [])
  }

  /** Beats keep their pace, whatever Redis does: its calls have a second path. */
  #sleep(): void {
    if (this.#isStopped) return
    this.#wake = this.#options.clock.after(BEAT_MS, () => {
      this.#sleep()
      this.#beating ??= this.#beat().finally(() => {
        this.#beating = null
      })
    })
  }

  async #beat(): Promise<void> {
    const before = this.#beatSentAt
    const sentAt = this.#options.clock.monotonic()
    try {
      await this.#writeBeat()
    } catch {
      this.#steadySince = Infinity
      this.#options.onBeat(false, sentAt - before)
      return
    }
    this.#options.onBeat(true, sentAt - before)
    this.kick()
    // only now: who cannot reach the store gives its leases up, so that others may try
    this.#sharing ??= this.#share()
      .catch((error: unknown) => this.#options.onTrouble(error))
      .finally(() => {
        this.#sharing = null
      })
  }

  /** What the others learn through Redis, and this node of them. */
  async #share(): Promise<void> {
    const { cluster, node } = this.#options
    const { runId, name, url } = node
    const renewed = await this.#ifRedis(() => cluster.leases.renew(runId, [...this.#held.keys()], LEASE_MS), null)
    await this.#mendLeases(renewed)
    await this.#ifRedis(() => cluster.members.beat({ runId, name, url, isWatching: this.#options.isWatching() }, LEASE_MS), undefined)
    this.#beats = await this.#ifRedis(() => cluster.members.alive(), null)
  }

  async #writeBeat(): Promise<void> {
    const { db, node, clock, facts } = this.#options
    const sentAt = clock.monotonic()
    await beatNode(db, {
      run_id: node.runId,
      name: node.name,
      url: node.url,
      roles: node.roles.join(','),
      version: node.version,
      level: SCHEMA_LEVEL,
      connection_ids: JSON.stringify(db.connectionIds?.() ?? []),
      facts: JSON.stringify(facts()),
    })
    if (sentAt - this.#beatSentAt > TRUST_MS || this.#steadySince === Infinity) {
      this.#steadySince = sentAt
      this.#isBlind = true
    }
    this.#beatSentAt = sentAt
  }

  /** A lease that ended although its slot is still this node's (Redis was emptied, or away) is taken again. */
  async #mendLeases(renewed: ReadonlySet<number> | null): Promise<void> {
    if (renewed === null) return
    const lost = [...this.#held.keys()].filter((slot) => !renewed.has(slot))
    if (lost.length > 0)
      await this.#ifRedis(() => this.#options.cluster.leases.acquire(this.#options.node.runId, lost, LEASE_MS), undefined)
  }

  // ── a look at nodes and slots ──

  async #look(): Promise<boolean> {
    if (this.#isStopped) return false
    const rows = await readCluster(this.#options.db)
    this.#rows = rows
    this.#lookedAt = this.#options.clock.monotonic()
    this.#compareBeats()
    await this.#forgetTaken()
    this.#isBlind = false
    this.#adopt()
    await this.#load()
    this.#lookWhenStale()
    if (!this.isSteady) return false
    const should = this.#shouldOwn()
    // what nobody fires for comes before what another should have
    const hasTaken = await this.#take([...should].filter((slot) => !this.#held.has(slot)))
    const hasGivenUp = await this.#giveUp(new Set([...this.#held.keys()].filter((slot) => !should.has(slot))))
    if (hasGivenUp || hasTaken) this.#tellOthers()
    // without a bus nobody says when it has given up what this node waits for
    if (!this.#options.cluster.bus.isUp && [...should].some((slot) => !this.#held.has(slot))) this.#lookIn(UNTOLD_MS)
    this.#options.onLook(this.#beats)
    await this.#prune()
    return false
  }

  async #prune(): Promise<void> {
    const now = this.#options.clock.monotonic()
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = now
    await pruneNodes(
      this.#options.db,
      this.live.map((node) => node.name),
    )
  }

  /** When a node has missed a beat, the next look is at the instant at which its slots may be taken, not up to a second later. */
  #lookWhenStale(): void {
    this.#stale?.cancel()
    this.#stale = null
    const { runId } = this.#options.node
    const owners = new Set(this.#rows.slots.map((row) => row.owner_run))
    const waits = this.#rows.nodes
      .filter((node) => node.run_id !== runId && owners.has(node.run_id) && this.#isAlive(node))
      .map((node) => this.#silentSince(node) + LEASE_MS - this.#lookedAt + STALE_MARGIN_MS)
    const wait = Math.min(...waits)
    if (wait < BEAT_MS) this.#lookIn(wait)
  }

  #lookIn(ms: number): void {
    this.#stale?.cancel()
    this.#stale = this.#options.clock.after(ms, () => this.kick())
  }

  /** Slots of the dead go to those who may take them; a newcomer gets its share of them afterwards, as of all others. */
  #shouldOwn(): Set<number> {
    const { runId } = this.#options.node
    const owners = ownersOf(this.schedulers)
    const heirs = ownersOf(
      this.live.filter((node) => isScheduler(node) && (factsOf(node)?.steadyMs ?? Infinity) >= LEASE_MS).map((node) => node.run_id),
    )
    return new Set(
      this.#rows.slots.flatMap(({ id, owner_run: owner }) => {
        const isOrphan = owner !== null && !this.isLive(owner)
        return ((isOrphan ? heirs[id] : null) ?? owners[id]) === runId ? [id] : []
      }),
    )
  }

  /** Another fence: somebody else owns the slot since, and what memory has of it is worth nothing. */
  async #forgetTaken(): Promise<void> {
    const { runId } = this.#options.node
    const gone = this.#rows.slots.filter(
      (row) => this.#held.has(row.id) && (row.owner_run !== runId || row.fence !== this.#held.get(row.id)),
    )
    if (gone.length > 0) await this.#drop(new Set(gone.map((row) => row.id)))
  }

  /** A take whose outcome was not known has succeeded after all. */
  #adopt(): void {
    const { runId } = this.#options.node
    for (const row of this.#rows.slots) if (row.owner_run === runId && !this.#held.has(row.id)) this.#held.set(row.id, row.fence)
  }

  async #giveUp(slots: ReadonlySet<number>): Promise<boolean> {
    if (slots.size === 0) return false
    const { db, node, cluster } = this.#options
    const fences = this.fencesOf(slots)
    await this.#drop(slots)
    await releaseSlots(db, node.runId, fences)
    await this.#ifRedis(() => cluster.leases.release(node.runId, [...slots]), undefined)
    return true
  }

  async #take(slots: readonly number[]): Promise<boolean> {
    const wanted = slots.filter((slot) => this.#mayTake(slot))
    if (wanted.length < slots.length && this.steadyMs < LEASE_MS) this.#lookIn(LEASE_MS - this.steadyMs)
    if (wanted.length === 0) return false
    const { db, node, cluster } = this.#options
    const leased = await this.#ifRedis(() => cluster.leases.acquire(node.runId, wanted, LEASE_MS), null)
    const mayTry = leased === null ? wanted : wanted.filter((slot) => leased.has(slot))
    if (mayTry.length < wanted.length) this.#lookIn(LEASE_AGAIN_MS)
    await this.#endConnectionsOf(mayTry)
    const { fences, contended } = await takeSlots(db, {
      runId: node.runId,
      wanted: new Map(mayTry.map((slot) => [slot, this.#rows.slots[slot]?.fence ?? 0])),
      dead: new Map(this.#rows.nodes.filter((one) => !this.#isAlive(one)).map((one) => [one.run_id, one.beat_at])),
    })
    this.#contended += contended
    const missed = mayTry.filter((slot) => !fences.has(slot))
    if (missed.length > 0) await this.#ifRedis(() => cluster.leases.release(node.runId, missed), undefined)
    for (const [slot, fence] of fences) this.#held.set(slot, fence)
    this.#tellTakenOver([...fences.keys()])
    await this.#load()
    return fences.size > 0
  }

  #tellTakenOver(slots: readonly number[]): void {
    const owners = slots.map((slot) => this.#rows.slots[slot]?.owner_run ?? null)
    const orphans = owners.filter((owner): owner is number => owner !== null)
    if (orphans.length === 0) return
    const names = this.#rows.nodes.filter((node) => orphans.includes(node.run_id)).map((node) => node.name)
    this.#options.onTakenOver(orphans.length, names)
  }

  /** Free, or of a process that beats no more, and this node itself has reached the store all that time. */
  #mayTake(slot: number): boolean {
    const owner = this.#rows.slots[slot]?.owner_run ?? null
    if (owner === null) return true
    const row = this.#rows.nodes.find((node) => node.run_id === owner)
    if (row !== undefined && this.#isAlive(row)) return false
    return this.steadyMs >= LEASE_MS
  }

  /** A process that froze inside a transaction would hold its locks for as long as it is frozen. */
  async #endConnectionsOf(slots: readonly number[]): Promise<void> {
    const owners = new Set(slots.map((slot) => this.#rows.slots[slot]?.owner_run ?? null))
    const ids = this.#rows.nodes.filter((node) => owners.has(node.run_id)).flatMap(connectionsOf)
    if (ids.length > 0) await this.#options.db.endConnections?.(ids)
  }

  /** Slots become this node's own when memory has what is open of them. A read that fails is tried again with the next look. */
  async #load(): Promise<void> {
    const loading = new Set([...this.#held.keys()].filter((slot) => !this.#slots.has(slot)))
    if (loading.size === 0) return
    const fences = new Map(this.#held)
    await this.#options.onGained(loading)
    for (const slot of loading) if (this.#held.get(slot) === fences.get(slot)) this.#slots.add(slot)
  }

  async #drop(slots: ReadonlySet<number>): Promise<void> {
    for (const slot of slots) {
      this.#slots.delete(slot)
      this.#held.delete(slot)
    }
    await this.#options.onLost(slots)
  }

  /** What Redis does not answer is done without it; while it is away it is not asked. */
  async #ifRedis<T, U>(ask: () => Promise<T>, instead: U): Promise<T | U> {
    if (this.#options.cluster.state === 'away') return instead
    try {
      return await ask()
    } catch (error) {
      if (error instanceof ClusterAway) return instead
      throw error
    }
  }

  #tellOthers(): void {
    this.#options.cluster.bus.publish('all', { kind: 'members', from: this.#options.node.runId })
  }
}

function isScheduler(node: NodeRow): boolean {
  return node.roles.split(',').includes('scheduler')
}

function connectionsOf(node: NodeRow): number[] {
  try {
    const ids: unknown = JSON.parse(node.connection_ids)
    return Array.isArray(ids) ? ids.filter((id): id is number => typeof id === 'number' && Number.isSafeInteger(id)) : []
  } catch {
    return []
  }
}
