import type { Cancel, Dispatch, ExecutorFrame, Load, Verdict } from '@tickwheel/contract'

/** A session that an executor holds with this node. */
export interface Session {
  readonly executorId: number
  readonly bootId: number
}

/** What the engine sends to an executor, each named by instance and attempt. */
export type Order = Dispatch | Cancel

/** Frames from an executor that want a verdict after the commit. */
export type Report = Extract<ExecutorFrame, { n: number }>

/**
 * How the engine reaches executors. An adapter holds the connections; it decides nothing.
 * `send` never waits: `absent` when no session of that boot is here, `full` when its outgoing buffer is (8 MiB): a sweep sends again later.
 */
export interface Link {
  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full'
  /** Tells an executor to take nothing new (true) or to go on (false). */
  drain(session: Session, draining: boolean): void
  /** Ends the connection of a superseded or removed executor. */
  end(session: Session, why: 'superseded' | 'sessionEnded'): void
  /** Stops reading reports (the receiver is full) and goes on. */
  pause(): void
  resume(): void
}

export type JoinAnswer =
  | {
      readonly kind: 'welcome'
      readonly session: Session
      readonly heartbeatMs: number
      readonly deadMs: number
      readonly draining: boolean
    }
  | { readonly kind: 'sessionUnknown' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'storeAway' }

export interface BeatAnswer {
  readonly store: 'ok' | 'away'
  readonly cancel: readonly { readonly instanceId: number; readonly attempt: number }[]
  readonly unknown: readonly { readonly instanceId: number; readonly attempt: number }[]
}

/** What a heartbeat that came by itself has found. `link`: which node sends to the executor. */
export type HeardAnswer =
  | ({ readonly kind: 'heard'; readonly link: 'here' | 'elsewhere' | 'nobody' } & Omit<BeatAnswer, 'store'>)
  | Exclude<JoinAnswer, { kind: 'welcome' }>

/** What a link tells the engine. Every promise resolves after the commit. */
export interface LinkHost {
  /** A connection said hello: is its session token good, and is it the newest boot? `running`: what it has. */
  join(hello: {
    token: string
    executorId: number
    bootId: number
    running: readonly { instanceId: number; attempt: number }[]
  }): Promise<JoinAnswer>
  /** The welcome has been sent: from now on `send` may be called for this session. */
  joined(session: Session): void
  /** The current connection of the session is gone (never called for one that a newer connection has taken over). The executor is lost only when its heartbeats stay away. */
  left(session: Session): void
  beat(session: Session, beat: { running: readonly { instanceId: number; attempt: number }[]; load: Load }): Promise<BeatAnswer>
  /** A heartbeat of an executor without a connection, at whichever node it came. One that no node sends to may be joined here. */
  hear(session: Session, beat: { running: readonly { instanceId: number; attempt: number }[]; load: Load | null }): Promise<HeardAnswer>
  /** The executor has said goodbye and has nothing left: it is offline at once. One with attempts stays, until they are reported or it is lost. */
  gone(session: Session): Promise<void>
  /** `null`: the store is away, nothing is acknowledged, the executor sends again. Instants are already in cluster time (`skewMs` was taken off by the link). */
  report(session: Session, report: Report): Promise<Verdict | null>
  /** cluster time, epoch ms */
  now(): number
}
