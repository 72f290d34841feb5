import { AppError, ClientMessage, LIVE_CLOSE } from '@tickwheel/contract'
import { id as brand, isInScope, visibleScope, type Permission, type Scope } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import type { RawData, WebSocket } from 'ws'
import type { Origin } from '../auth/sessions.ts'
import type { SignedUser } from '../auth/signed-user.ts'
import type { EngineEvent } from '../engine/events.ts'
import { GatheredTopic } from './gathered-topic.ts'
import { LogTopic } from './log-topic.ts'
import { Outlet } from './outlet.ts'
import type { LiveParts } from './parts.ts'
import type { Topic } from './topic.ts'

const TOPICS_MAX = 100
const AUTH_WITHIN_MS = 10_000
const TRY_LATER = 1013
const messageCheck = Compile(ClientMessage)

/** What an open subscription is about, for finding those that an event concerns. */
interface Watch {
  readonly id: number
  readonly name: string
  /** null: what is read is judged each time */
  readonly permission: Permission | null
  /** null: rows of all visible groups */
  readonly groupId: number | null
  readonly topic: Topic
  readonly hear: (event: EngineEvent) => void
}

type Subscribe = Extract<ClientMessage, { type: 'subscribe' }>

export interface ConnectionParts {
  readonly parts: LiveParts
  /** as the upgrade request brought it; null: it comes in a message */
  readonly token: string | null
  /** how many connections a user has */
  readonly connectionsOf: (userId: number) => number
}

/** One console: who it is, what it watches, and what it is told. Messages are handled one after the other. */
export class Connection {
  readonly #socket: WebSocket
  readonly #origin: Origin
  readonly #parts: LiveParts
  readonly #outlet: Outlet
  readonly #connectionsOf: (userId: number) => number
  readonly #watches = new Map<number, Watch>()
  #token: string | null = null
  #user: SignedUser | null = null
  #last: Promise<void> = Promise.resolve()
  #backlog = 0

  constructor(socket: WebSocket, origin: Origin, { parts, token, connectionsOf }: ConnectionParts) {
    this.#socket = socket
    this.#connectionsOf = connectionsOf
    this.#origin = origin
    this.#parts = parts
    this.#outlet = new Outlet(socket)
    const deadline = setTimeout(() => {
      if (this.#user === null) this.end(LIVE_CLOSE.sessionEnded, 'sign in first')
    }, AUTH_WITHIN_MS)
    deadline.unref()
    socket.on('message', (data, isBinary) => this.#take(isBinary ? null : textOf(data)))
    socket.on('error', () => socket.terminate())
    socket.once('close', () => {
      clearTimeout(deadline)
      for (const watch of this.#watches.values()) watch.topic.close()
      this.#watches.clear()
    })
    if (token !== null) this.#queue(() => this.#signIn(token))
  }

  /** null: not signed in yet */
  get userId(): number | null {
    return this.#user?.user.userId ?? null
  }

  get subscriptions(): number {
    return this.#watches.size
  }

  hear(events: readonly EngineEvent[]): void {
    for (const watch of this.#watches.values()) for (const event of events) watch.hear(event)
  }

  end(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** Asks again whether the session lives and the topics are allowed. */
  async recheck(): Promise<void> {
    if (this.#token === null || this.#user === null) return
    const user = await this.#parts.identities.find(this.#token, this.#origin)
    if (user === null) return this.end(LIVE_CLOSE.sessionEnded, 'session ended')
    this.#user = user
    for (const watch of this.#watches.values()) {
      if (this.#allows(user, watch)) continue
      this.#close(watch)
      this.#outlet.send({ type: 'closed', id: watch.id, topic: watch.name, code: 'FORBIDDEN' })
    }
  }

  #allows(user: SignedUser, { permission, groupId }: Watch): boolean {
    if (permission === null) return !user.isLimited
    const scope = user.isLimited ? [] : visibleScope(user.grants, permission)
    return groupId === null ? scope === 'all' || scope.length > 0 : isInScope(scope, brand<'group'>(groupId))
  }

  #take(text: string | null): void {
    const message = text === null ? null : parse(text)
    if (message === null || this.#backlog > 1000) return this.end(LIVE_CLOSE.protocolError, 'not a message of tickwheel.live.1')
    this.#queue(() => this.#handle(message))
  }

  #queue(work: () => Promise<void>): void {
    this.#backlog++
    this.#last = this.#last
      .then(work)
      .catch((error: unknown) => this.#tellError(error))
      .finally(() => {
        this.#backlog--
      })
  }

  #tellError(error: unknown, id?: number): void {
    const isExpected = error instanceof AppError
    if (!isExpected)
      this.#parts.log.error({ err: error, requestId: this.#origin.requestId }, 'a live topic failed in a way that nobody expected')
    const code = isExpected ? error.code : 'INTERNAL'
    this.#outlet.send({
      type: 'error',
      ...(id === undefined ? {} : { id }),
      code,
      detail: isExpected ? error.message : 'Something went wrong that nobody expected.',
    })
  }

  async #handle(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'auth':
        return this.#signIn(message.token)
      case 'subscribe':
        return this.#subscribe(message).catch((error: unknown) => this.#tellError(error, message.id))
      case 'unsubscribe': {
        const watch = this.#watches.get(message.id)
        if (watch !== undefined) this.#close(watch)
      }
    }
  }

  async #signIn(token: string): Promise<void> {
    const user = await this.#parts.identities.find(token, this.#origin)
    if (user === null) return this.#refuse()
    if (this.#user !== null && !isSame(this.#user, user)) return this.end(LIVE_CLOSE.sessionEnded, 'session ended')
    if (this.#user === null && this.#connectionsOf(user.user.userId) >= this.#parts.limits.perUser)
      return this.end(TRY_LATER, 'too many consoles of this user')
    this.#token = token
    this.#user = user
    this.#outlet.send({ type: 'ready' })
  }

  /** A wrong credential costs its address what it costs in a call. */
  async #refuse(): Promise<void> {
    this.end(LIVE_CLOSE.sessionEnded, 'session ended')
    await this.#parts.takeAnonymous(this.#origin.ip)
  }

  async #subscribe(message: Subscribe): Promise<void> {
    const user = this.#user
    if (user === null) throw new AppError('UNAUTHENTICATED', 'Send `auth` first.')
    if (user.isLimited) throw new AppError('PASSWORD_CHANGE_REQUIRED', 'Change the password first.')
    if (this.#watches.has(message.id)) throw new AppError('UNPROCESSABLE', `The id ${message.id} is in use: unsubscribe it first.`)
    if (this.#watches.size >= TOPICS_MAX) throw new AppError('UNPROCESSABLE', `A connection watches at most ${TOPICS_MAX} topics.`)
    await this.#parts.takeRead(user)
    const open = await this.#openerOf(message, user)
    this.#outlet.send({ type: 'subscribed', id: message.id, next: message.after ?? 0 })
    if (!this.#outlet.isClosed) this.#watches.set(message.id, open())
  }

  #close(watch: Watch): void {
    watch.topic.close()
    this.#watches.delete(watch.id)
  }

  /** Judges the permission and answers with what opens the topic, so that `subscribed` comes before its first event. */
  async #openerOf(message: Subscribe, user: SignedUser): Promise<() => Watch> {
    const [kind, target, part] = message.topic.split(':')
    if (kind === 'instance')
      return part === 'logs' ? this.#openLogs(message, user, Number(target)) : this.#openInstance(message, user, Number(target))
    if (kind === 'workflowRun') return this.#openWorkflowRun(message, user, Number(target))
    if (kind === 'group') return this.#openGroup(message, user, target === '*' ? null : Number(target))
    if (kind === 'task') return this.#openTasks(message, user)
    if (kind === 'bulk') return this.#openBulk(message, user, Number(target))
    return kind === 'alarm' ? this.#openAlarms(message, user) : this.#openExecutors(message, user)
  }

  async #openLogs({ id, topic: name, after = 0 }: Subscribe, user: SignedUser, instanceId: number): Promise<() => Watch> {
    const groupId = await this.#groupOfRun(instanceId, user, 'instance:viewLogs')
    return () => {
      const { logs, reads } = this.#parts
      const topic = new LogTopic({
        id,
        name,
        instanceId,
        after,
        outlet: this.#outlet,
        logs,
        reads,
        onError: (error) => this.#tellError(error, id),
      })
      const hear = (event: EngineEvent): void => {
        if (event.kind === 'lookAgain' || ('instanceId' in event && event.instanceId === instanceId)) topic.kick(seqOf(event))
      }
      return { id, name, permission: 'instance:viewLogs', groupId, topic, hear }
    }
  }

  async #openInstance({ id, topic: name }: Subscribe, user: SignedUser, instanceId: number): Promise<() => Watch> {
    const groupId = await this.#groupOfRun(instanceId, user, 'instance:view')
    return () => {
      // When events may have been lost it is read for no other reason: what is as it was is not told again.
      let told = ''
      const read = async (): Promise<unknown> => {
        const [item] = await this.#parts.reads.instances([instanceId], this.#scope('instance:view'))
        if (item === undefined) return null
        const data = { ...item, progress: await this.#parts.reads.progress(instanceId) }
        const text = JSON.stringify(data)
        const isNew = text !== told
        told = text
        return isNew ? data : null
      }
      const topic = this.#gathered(id, name, read, 100)
      topic.changed(instanceId)
      void topic.flush()
      return {
        id,
        name,
        permission: 'instance:view',
        groupId,
        topic,
        hear: (event) => {
          if (event.kind === 'lookAgain' || (event.kind === 'instanceChanged' && event.instanceId === instanceId)) topic.changed(instanceId)
        },
      }
    }
  }

  async #openWorkflowRun({ id, topic: name }: Subscribe, user: SignedUser, workflowRunId: number): Promise<() => Watch> {
    const { reads } = this.#parts
    const found = await reads.workflowRun(workflowRunId, visibleScope(user.grants, 'workflow:view'), () => false)
    if (found === null) throw new AppError('WORKFLOW_RUN_NOT_FOUND', `There is no workflow run ${workflowRunId} that you may see.`)
    return () => {
      let told = ''
      const mayViewParams = (groupId: number): boolean => isInScope(this.#scope('workflow:viewParams'), brand<'group'>(groupId))
      const read = async (): Promise<unknown> => {
        const run = await reads.workflowRun(workflowRunId, this.#scope('workflow:view'), mayViewParams)
        const text = JSON.stringify(run)
        const isNew = run !== null && text !== told
        told = text
        return isNew ? run : null
      }
      const topic = this.#gathered(id, name, read)
      topic.changed(workflowRunId)
      void topic.flush()
      return {
        id,
        name,
        permission: 'workflow:view',
        groupId: found.groupId,
        topic,
        hear: (event) => {
          const isAbout = event.kind === 'workflowRunChanged' && event.workflowRunId === workflowRunId
          if (isAbout || event.kind === 'lookAgain') topic.changed(workflowRunId)
        },
      }
    }
  }

  /** Whose it is never changes; who sees all may lose that, and is told nothing more then. */
  async #openBulk({ id, topic: name }: Subscribe, user: SignedUser, bulkId: number): Promise<() => Watch> {
    const { reads } = this.#parts
    if ((await reads.bulk(bulkId, user)) === null)
      throw new AppError('BULK_NOT_FOUND', `There is no bulk operation ${bulkId} that you may see.`)
    return () => {
      let told = ''
      const read = async (): Promise<unknown> => {
        const bulk = this.#user === null ? null : await reads.bulk(bulkId, this.#user)
        const text = JSON.stringify(bulk)
        const isNew = bulk !== null && text !== told
        told = text
        return isNew ? bulk : null
      }
      const topic = this.#gathered(id, name, read)
      topic.changed(bulkId)
      void topic.flush()
      return {
        id,
        name,
        permission: null,
        groupId: null,
        topic,
        hear: (event) => {
          if (event.kind === 'lookAgain' || (event.kind === 'bulkChanged' && event.bulkId === bulkId)) topic.changed(bulkId)
        },
      }
    }
  }

  async #openGroup({ id, topic: name }: Subscribe, user: SignedUser, groupId: number | null): Promise<() => Watch> {
    const scope = visibleScope(user.grants, 'instance:view')
    if (groupId !== null && !(isInScope(scope, brand<'group'>(groupId)) && (await this.#parts.reads.hasGroup(groupId))))
      throw new AppError('GROUP_NOT_FOUND', `There is no group ${groupId} that you may see.`)
    return () => {
      const read = async (ids: readonly number[]): Promise<unknown> => {
        const instances = await this.#parts.reads.instances(ids, this.#scope('instance:view'))
        return instances.length === 0 ? null : { instances }
      }
      const topic = this.#gathered(id, name, read)
      return {
        id,
        name,
        permission: 'instance:view',
        groupId,
        topic,
        hear: hearList(topic, (event) => {
          if (event.kind === 'instanceChanged' && (groupId === null || event.groupId === groupId)) topic.changed(event.instanceId)
        }),
      }
    }
  }

  async #openTasks({ id, topic: name }: Subscribe, user: SignedUser): Promise<() => Watch> {
    requireAny(visibleScope(user.grants, 'task:view'), 'task:view')
    return () => {
      const topic = this.#gathered(id, name, async (ids) => ({ ids }))
      return {
        id,
        name,
        permission: 'task:view',
        groupId: null,
        topic,
        hear: hearList(topic, (event) => {
          if (event.kind === 'taskChanged' && isInScope(this.#scope('task:view'), brand<'group'>(event.groupId)))
            topic.changed(event.taskId)
        }),
      }
    }
  }

  async #openExecutors({ id, topic: name }: Subscribe, user: SignedUser): Promise<() => Watch> {
    requireAny(visibleScope(user.grants, 'executor:view'), 'executor:view')
    return () => {
      const read = async (ids: readonly number[]): Promise<unknown> => {
        const executors = await this.#parts.reads.executors(ids, this.#scope('executor:view'))
        const found = new Set(executors.map((executor) => executor.id))
        return { executors, removed: ids.filter((executorId) => !found.has(executorId)) }
      }
      const topic = this.#gathered(id, name, read)
      return {
        id,
        name,
        permission: 'executor:view',
        groupId: null,
        topic,
        hear: hearList(topic, (event) => {
          if (event.kind === 'executorChanged' && isInScope(this.#scope('executor:view'), brand<'group'>(event.groupId)))
            topic.changed(event.executorId)
        }),
      }
    }
  }

  async #openAlarms({ id, topic: name }: Subscribe, user: SignedUser): Promise<() => Watch> {
    requireAny(visibleScope(user.grants, 'alarm:view'), 'alarm:view')
    return () => {
      const read = async (ids: readonly number[]): Promise<unknown> => {
        const incidents = await this.#parts.reads.incidents(ids, this.#scope('alarm:view'))
        return incidents.length === 0 ? null : { incidents }
      }
      const topic = this.#gathered(id, name, read)
      return {
        id,
        name,
        permission: 'alarm:view',
        groupId: null,
        topic,
        hear: hearList(topic, (event) => {
          if (event.kind === 'incidentChanged' && isInScope(this.#scope('alarm:view'), brand<'group'>(event.groupId)))
            topic.changed(event.incidentId)
        }),
      }
    }
  }

  #gathered(id: number, name: string, read: (ids: readonly number[]) => Promise<unknown>, gatherMs?: number): GatheredTopic {
    return new GatheredTopic({
      id,
      name,
      outlet: this.#outlet,
      read,
      onError: (error) => this.#tellError(error, id),
      ...(gatherMs === undefined ? {} : { gatherMs }),
    })
  }

  #scope(permission: Permission): Scope {
    return this.#user === null || this.#user.isLimited ? [] : visibleScope(this.#user.grants, permission)
  }

  async #groupOfRun(instanceId: number, user: SignedUser, permission: Permission): Promise<number> {
    const run = await this.#parts.reads.run(instanceId)
    const grants = user.grants
    if (run === null || !isInScope(visibleScope(grants, 'instance:view'), brand<'group'>(run.groupId)))
      throw new AppError('INSTANCE_NOT_FOUND', `There is no instance ${instanceId} that you may see.`)
    if (!isInScope(visibleScope(grants, permission), brand<'group'>(run.groupId)))
      throw new AppError('FORBIDDEN', `This needs the permission ${permission}.`, { params: { permission } })
    return run.groupId
  }
}

/** Whether two credentials are those of one person, or one token. */
function isSame(one: SignedUser, other: SignedUser): boolean {
  return one.user.userId === other.user.userId && one.token?.tokenId === other.token?.tokenId
}

function requireAny(scope: Scope, permission: Permission): void {
  if (scope !== 'all' && scope.length === 0)
    throw new AppError('FORBIDDEN', `This needs the permission ${permission}.`, { params: { permission } })
}

/** How a list hears: of what concerns it, and, when events may have been lost, that its reader is behind. */
function hearList(topic: GatheredTopic, hear: (event: EngineEvent) => void): (event: EngineEvent) => void {
  return (event) => {
    if (event.kind !== 'lookAgain') hear(event)
    else if (event.lists) topic.missed()
  }
}

function seqOf(event: EngineEvent): number {
  return event.kind === 'logAppended' ? event.attempt * 2 ** 32 + event.firstSeq + event.count - 1 : 0
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data)).toString('utf8')
}

function parse(text: string): ClientMessage | null {
  try {
    const value: unknown = JSON.parse(text)
    return messageCheck.Check(value) ? value : null
  } catch {
    return null
  }
}
