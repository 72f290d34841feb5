import { appNameOf } from '@tickwheel/contract'
import type { Session } from '../link.ts'
import { EXECUTOR_STATE, executorByName } from '../../store/executors.ts'
import { findGroupByAppName } from '../../store/groups.ts'
import { forgetUnclaimed, noteUnclaimed } from '../../store/unclaimed.ts'
import { openWiresOf, type WireSeen } from '../../store/wires.ts'
import { readAddress, type XxlAddress } from './address.ts'
import type { Registry } from './callback.ts'
import { Peer } from './peer.ts'
import { failure, OK, WRONG_TOKEN, type Envelope } from './reply.ts'
import type { Shared } from './shared.ts'
import { storedLines } from './stored-lines.ts'
import { Unclaimed } from './unclaimed.ts'

/** How a registration came. */
interface From {
  readonly token: string
  readonly isNewDialect: boolean
}

const NAME_LENGTH = 255

interface Home {
  readonly groupId: number
  readonly appName: string
}

/**
 * Executors come and go by their registrations, which are their heartbeats too. An executor is given work when it has registered and answered a call;
 * one that does not answer is asked again until it does, or is dead.
 * It tells nothing of its process, so a boot is one stretch of life: it ends with `registryRemove`, or when the executor was lost.
 */
export class Registrar {
  readonly #unclaimed = new Unclaimed()
  readonly #shared: Shared
  /** one registration of an address at a time */
  readonly #going = new Map<string, Promise<Envelope>>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  async register(registry: Registry, from: From): Promise<Envelope> {
    const address = readAddress(registry.address)
    if (address === null) return failure(`registryValue: expected http://host:port or host:port, got ${registry.address.slice(0, 255)}`)
    const key = `${registry.appName} ${address.base} ${from.token}`
    const going = this.#going.get(key) ?? this.#register(registry.appName, address, from).finally(() => this.#going.delete(key))
    this.#going.set(key, going)
    return going
  }

  /** It takes nothing new from now on, and is offline when what it has is reported; what it does not report is lost with it. */
  async remove(registry: Registry, token: string): Promise<Envelope> {
    const address = readAddress(registry.address)
    const home = await this.#homeOf(registry.appName)
    if (!(await this.#shared.options.access.allows(home?.groupId ?? null, token))) return failure(WRONG_TOKEN)
    if (address === null) return OK
    if (home === null) return this.#leaveUnclaimed(registry.appName, address)
    const row = await executorByName(this.#shared.options.db, home.groupId, address.name)
    const peer = row === null ? undefined : this.#shared.peers.get(row.id)
    if (peer === undefined) return OK
    peer.isGone = true
    this.#shared.tell(peer.session, { type: 'drain' })
    await this.leave(peer)
    return OK
  }

  /** This node sends nothing more to it. */
  unlink(peer: Peer): void {
    if (!peer.isLinked) return
    peer.isLinked = false
    this.#shared.options.host.left(peer.session)
    this.#shared.options.onExecutors()
  }

  /** Nothing is done for it any more. */
  forget(peer: Peer): void {
    peer.isGone = true
    this.unlink(peer)
    const { peers } = this.#shared
    if (peers.get(peer.session.executorId) === peer) peers.delete(peer.session.executorId)
  }

  /** It has said goodbye, or was not heard of for long. One that has nothing is offline at once. */
  async leave(peer: Peer): Promise<void> {
    this.unlink(peer)
    if (peer.runs.size > 0) return
    this.forget(peer)
    await this.#shared.options.host.gone(peer.session)
    this.#shared.options.onExecutors()
  }

  /** Lets it have work, once it answers. */
  async link(peer: Peer): Promise<void> {
    if (peer.isLinked || peer.isLinking || peer.isGone || this.#shared.isClosed) return
    peer.isLinking = true
    try {
      const trouble = await peer.beat()
      if (trouble === null) await this.#join(peer)
      else this.#warn(peer, trouble)
    } finally {
      peer.isLinking = false
      peer.nextProbeAt = performance.now() + this.#shared.timing.probeMs
    }
  }

  async #register(appName: string, address: XxlAddress, { token, isNewDialect }: From): Promise<Envelope> {
    const home = await this.#homeOf(appName)
    if (!(await this.#shared.options.access.allows(home?.groupId ?? null, token))) return failure(WRONG_TOKEN)
    if (home === null) return (await this.#refusalOf(address)) ?? this.#noteUnclaimed(appName, address)
    const row = await executorByName(this.#shared.options.db, home.groupId, address.name)
    const isSame = row?.state === EXECUTOR_STATE.online && row.transport === 'xxl' && row.address === address.base
    const before = row === null ? undefined : this.#shared.peers.get(row.id)
    if (row !== null && isSame && before?.isGone !== true) {
      const heard = await this.#hear({ executorId: row.id, bootId: row.boot_id }, address, { home, isNewDialect })
      if (heard !== null) return heard
    }
    // not for each heartbeat: a name would be looked up, while the executor waits 3 s for its answer
    const refusal = await this.#refusalOf(address)
    if (refusal !== null) return refusal
    const session = await this.#enroll(home, address, null)
    if (before !== undefined) this.forget(before)
    void this.link(this.#peerOf(session, address, { home, isNewDialect }))
    return OK
  }

  async #refusalOf({ base }: XxlAddress): Promise<Envelope | null> {
    const refusal = await this.#shared.options.networks.refusalNow(new URL(base))
    return refusal === null ? null : failure(`registryValue: ${refusal}`)
  }

  /** No group has its app name: it is told of, where a person can make one. */
  async #noteUnclaimed(appName: string, { base: address }: XxlAddress): Promise<Envelope> {
    const { host, log, db } = this.#shared.options
    const name = appName.slice(0, NAME_LENGTH)
    const note = this.#unclaimed.note(name, address, host.now())
    if (note.isNew)
      log.warn({ appName, address }, 'an XXL-JOB executor registered with an app name that no group has: make a group with that appName')
    if (note.isDue) await noteUnclaimed(db, host.now(), { appName: name, address })
    return OK
  }

  async #leaveUnclaimed(appName: string, { base: address }: XxlAddress): Promise<Envelope> {
    this.#unclaimed.forget(appName.slice(0, NAME_LENGTH), address)
    await forgetUnclaimed(this.#shared.options.db, { appName: appName.slice(0, NAME_LENGTH), address })
    return OK
  }

  /** A heartbeat of an executor that is online. null: it is not, and must be enrolled. */
  async #hear(session: Session, address: XxlAddress, about: { home: Home; isNewDialect: boolean }): Promise<Envelope | null> {
    const { host } = this.#shared.options
    const known = this.#shared.of(session)
    const running = known === null || !known.isLinked ? await this.#runningAt(session) : this.#shared.running(known)
    const answer = await host.hear(session, { running, load: null })
    if (answer.kind === 'storeAway') return failure('the store is away: try again')
    if (answer.kind !== 'heard') return null
    // another node has it: this one only passes on that it lives
    if (answer.link === 'elsewhere') {
      if (known !== null) this.forget(known)
      return OK
    }
    const peer = this.#peerOf(session, address, about)
    for (const unknown of answer.unknown) this.#endedElsewhere(peer, unknown)
    if (peer.refusedAt !== null && performance.now() - peer.refusedAt > this.#shared.timing.goneMs)
      await this.#enrollAgain(peer, about.home, address)
    if (answer.link === 'nobody') void this.link(peer)
    return OK
  }

  /** It keeps its boot; what it refused is forgotten, because a newer process may stand at the same address. */
  async #enrollAgain(peer: Peer, home: Home, address: XxlAddress): Promise<void> {
    peer.refusedAt = null
    await this.#enroll(home, address, peer.session.bootId)
  }

  async #enroll(home: Home, address: XxlAddress, bootId: number | null): Promise<Session> {
    const { register, capacity, onExecutors } = this.#shared.options
    const session = await register(
      home.groupId,
      {
        appName: home.appName,
        name: address.name,
        protocol: { min: 1, max: 1 },
        version: 'XXL-JOB',
        capacity,
        handlers: [],
        host: new URL(address.base).hostname,
        pid: 0,
        ...(bootId === null ? {} : { bootId }),
      },
      { transport: 'xxl', address: address.base },
    )
    onExecutors()
    return session
  }

  #peerOf(session: Session, address: XxlAddress, { home, isNewDialect }: { home: Home; isNewDialect: boolean }): Peer {
    const { peers, options, timing } = this.#shared
    const known = this.#shared.of(session)
    const peer =
      known ??
      new Peer({
        session,
        name: address.name,
        base: address.base,
        appName: home.appName,
        accessToken: () => options.access.tokenFor(home.groupId),
        networks: options.networks,
        ...(timing.timeouts === undefined ? {} : { timeouts: timing.timeouts }),
      })
    if (known === null) peer.speaks(isNewDialect)
    peer.heardAt = performance.now()
    peers.set(session.executorId, peer)
    return peer
  }

  async #join(peer: Peer): Promise<void> {
    const { host, issueToken, onExecutors } = this.#shared.options
    const { session } = peer
    await this.#adopt(peer)
    const answer = await host.join({ token: issueToken(session), ...session, running: this.#shared.running(peer) })
    if (answer.kind === 'storeAway') return
    if (answer.kind !== 'welcome') return this.forget(peer)
    // it said goodbye meanwhile, or this node is leaving
    if (peer.isGone || this.#shared.isClosed) return host.left(session)
    peer.isLinked = true
    peer.toldTrouble = ''
    host.joined(session)
    onExecutors()
  }

  /** What it has of earlier times, sent by another node or by an earlier process of this one. */
  async #adopt(peer: Peer): Promise<void> {
    const { logs } = this.#shared.options
    for (const wire of await this.#wiresAt(peer.session)) {
      if (peer.runs.has(`${String(wire.instance_id)}:${String(wire.attempt)}`)) continue
      const run = this.#shared.track(peer, wire, await storedLines(logs, wire.instance_id, wire.attempt))
      // it was sent, and nobody noted the answer
      this.#shared.accepted(peer, run)
    }
  }

  async #runningAt(session: Session): Promise<{ instanceId: number; attempt: number }[]> {
    return (await this.#wiresAt(session)).map((wire) => ({ instanceId: wire.instance_id, attempt: wire.attempt }))
  }

  async #wiresAt({ executorId, bootId }: Session): Promise<WireSeen[]> {
    return (await openWiresOf(this.#shared.options.db, executorId)).filter((wire) => wire.boot_id === bootId)
  }

  #endedElsewhere(peer: Peer, { instanceId, attempt }: { instanceId: number; attempt: number }): void {
    const run = peer.runs.get(`${String(instanceId)}:${String(attempt)}`)
    if (run !== undefined) this.#shared.ended(peer, run)
  }

  async #homeOf(appName: string): Promise<Home | null> {
    const name = appNameOf(appName)
    const group = name === null ? null : await findGroupByAppName(this.#shared.options.db, name)
    return group === null || name === null ? null : { groupId: group.id, appName: name }
  }

  #warn(peer: Peer, trouble: string): void {
    if (peer.toldTrouble === trouble) return
    peer.toldTrouble = trouble
    this.#shared.options.log.warn(
      { executorId: peer.session.executorId, address: peer.base, trouble },
      'an XXL-JOB executor registered and cannot be called: it gets no runs until it answers',
    )
  }
}
