import type { Link, LinkHost, Order, Session } from './link.ts'

interface Held {
  readonly bootId: number
  readonly link: Link
}

/**
 * Several ways to reach executors as the one that the engine knows. A session belongs to the adapter that welcomed it last; what is sent to it goes there,
 * and the engine never learns by which wire.
 */
export class Links implements Link {
  readonly #host: LinkHost
  readonly #links: Link[] = []
  readonly #held = new Map<number, Held>()

  constructor(host: LinkHost) {
    this.#host = host
  }

  /** Takes an adapter in. It must speak to the host that it is given, so that its sessions are known to be its own. */
  add<Adapter extends Link>(make: (host: LinkHost) => Adapter): Adapter {
    const host = this.#host
    // it speaks only when it has been made
    const own: { link?: Adapter } = {}
    const link = make({
      join: (hello) => host.join(hello),
      hear: (session, beat) => host.hear(session, beat),
      gone: (session) => host.gone(session),
      beat: (session, beat) => host.beat(session, beat),
      report: (session, report) => host.report(session, report),
      now: () => host.now(),
      joined: (session) => {
        if (own.link !== undefined) this.#joined(session, own.link)
      },
      left: (session) => {
        if (own.link !== undefined) this.#left(session, own.link)
      },
    })
    own.link = link
    this.#links.push(link)
    return link
  }

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full' {
    return this.#of(session)?.send(session, orders) ?? 'absent'
  }

  drain(session: Session, draining: boolean): void {
    this.#of(session)?.drain(session, draining)
  }

  end(session: Session, why: 'superseded' | 'sessionEnded'): void {
    this.#of(session)?.end(session, why)
  }

  pause(): void {
    for (const link of this.#links) link.pause()
  }

  resume(): void {
    for (const link of this.#links) link.resume()
  }

  #of({ executorId, bootId }: Session): Link | null {
    const held = this.#held.get(executorId)
    return held?.bootId === bootId ? held.link : null
  }

  #joined(session: Session, link: Link): void {
    const { executorId, bootId } = session
    const before = this.#held.get(executorId)
    this.#held.set(executorId, { bootId, link })
    // its own earlier sessions an adapter ends by itself
    if (before !== undefined && before.link !== link)
      before.link.end({ executorId, bootId: before.bootId }, before.bootId < bootId ? 'superseded' : 'sessionEnded')
    this.#host.joined(session)
  }

  /** A session that another adapter, or a newer boot, has taken over is not gone. */
  #left(session: Session, link: Link): void {
    const held = this.#held.get(session.executorId)
    if (held !== undefined && (held.link !== link || held.bootId !== session.bootId)) return
    this.#held.delete(session.executorId)
    this.#host.left(session)
  }
}
