import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import { AppError, type Attention } from '@tickwheel/contract'
import { callerKey } from '@tickwheel/core'
import type { FastifyInstance } from 'fastify'
import { AccessFacts } from './auth/access-facts.ts'
import { openChannel, type Seal } from './auth/stored-channel.ts'
import { askerRights } from './auth/asker-rights.ts'
import { editorRights } from './auth/editor-rights.ts'
import { ExecutorSessionTokens } from './auth/executor-tokens.ts'
import { isLoopbackHost, Origins, type Arrival } from './auth/origin.ts'
import { Refusals } from './auth/refusals.ts'
import { Sealed } from './auth/sealed.ts'
import { loadSecret, sameText } from './auth/secret.ts'
import { Sessions } from './auth/sessions.ts'
import { bucketOf, Identities } from './auth/signed-user.ts'
import { SignedCache } from './auth/signed-cache.ts'
import { CachedReads } from './cached-reads.ts'
import { ClusterClock } from './cluster-clock.ts'
import { ComingFirings } from './coming-firings.ts'
import type { Cluster } from './cluster/cluster.ts'
import { memoryCluster } from './cluster/memory/cluster.ts'
import { withoutAccount } from './cluster/redis-url.ts'
import { openRedisCluster } from './cluster/redis/cluster.ts'
import type { Config } from './config/schema.ts'
import { StartProblem } from './config/start-problem.ts'
import { Engine } from './engine/engine.ts'
import { Folder } from './engine/folder.ts'
import { Housekeeper } from './engine/housekeeper.ts'
import { Reckoner, type Incomplete } from './engine/reckoner.ts'
import { Pruner } from './engine/pruner.ts'
import { embeddedToken, firstStart } from './first-start.ts'
import { makeChanges } from './http/change.ts'
import { findConsole } from './http/console-files.ts'
import type { Handlers } from './http/handlers.ts'
import { Metrics } from './http/metrics.ts'
import { RateLimit } from './http/rate-limit.ts'
import type { Gate, Locate } from './http/register.ts'
import { fires, servesPeople } from './http/roles.ts'
import { alarmChannelHandlers, type AlarmPost } from './http/routes/alarm-channels.ts'
import { auditHandlers } from './http/routes/audit.ts'
import { authHandlers } from './http/routes/auth.ts'
import { clusterHandlers } from './http/routes/cluster.ts'
import { completenessHandlers } from './http/routes/completeness.ts'
import { documentHandlers } from './http/routes/documents.ts'
import { dashboardHandlers } from './http/routes/dashboard.ts'
import { executorHandlers, inFlightOf } from './http/routes/executors.ts'
import { alarmHandlers } from './http/routes/alarms.ts'
import { groupHandlers } from './http/routes/groups.ts'
import { instanceHandlers } from './http/routes/instances.ts'
import { searchHandlers } from './http/routes/search.ts'
import { storageHandlers } from './http/routes/storage.ts'
import { systemHandlers } from './http/routes/system.ts'
import { taskHandlers } from './http/routes/tasks.ts'
import { backfillHandlers } from './http/routes/backfills.ts'
import { bulkHandlers, bulkReader } from './http/routes/bulks.ts'
import { calendarHandlers } from './http/routes/calendars.ts'
import { workflowRunHandlers } from './http/routes/workflow-runs.ts'
import { workflowHandlers } from './http/routes/workflows.ts'
import { roleHandlers } from './http/routes/roles.ts'
import { tokenHandlers } from './http/routes/tokens.ts'
import { userHandlers } from './http/routes/users.ts'
import { createHttp, hasTooManyHeaders } from './http/server.ts'
import { variableHandlers } from './http/routes/variables.ts'
import type { XxlCalls } from './http/xxl.ts'
import type { LinkHost } from './link/link.ts'
import { problemsOf } from './http/validate.ts'
import { KeptRead } from './kept-read.ts'
import { Links } from './link/links.ts'
import { PostLink, readAddress } from './link/post/post-link.ts'
import { ALARM_NETWORKS, Networks } from './link/networks.ts'
import { Access } from './link/xxl/access.ts'
import { WRONG_TOKEN } from './link/xxl/reply.ts'
import { XxlLink } from './link/xxl/xxl-link.ts'
import { StreamLink } from './link/stream/stream-link.ts'
import { LiveServer } from './live/live-server.ts'
import type { Log } from './log.ts'
import { openStore, type OpenStore } from './open-store.ts'
import { nodeOf } from './node.ts'
import { Desk } from './notify/desk.ts'
import { Postman } from './notify/postman.ts'
import { Sender } from './notify/sender.ts'
import { findPortOwner } from './port-owner.ts'
import { SecretBook } from './secret/book.ts'
import { sealedWarning } from './secret/keys.ts'
import { SecretUses } from './secret/uses.ts'
import { Vault } from './secret/vault.ts'
import { SYSTEM } from './store/caller.ts'
import type { Database } from './store/database.ts'
import { reckonerRow } from './store/reckon.ts'
import { executorsById } from './store/executor-views.ts'
import { incidentsById } from './store/alarm-incidents.ts'
import { addressOf } from './store/executors.ts'
import type { AlarmChannelRow } from './store/schema.ts'
import { findBulk } from './store/bulk-views.ts'
import { groupNamed } from './store/groups.ts'
import { RunIds } from './store/ids.ts'
import { getInstance, instancesById, runHead } from './store/instances.ts'
import { groupOf } from './store/locate.ts'
import type { LogStore } from './store/logs.ts'
import { prunePastSecrets } from './store/secrets.ts'
import { stoppedTasks } from './store/stopped-tasks.ts'
import { storeId } from './store/store-id.ts'
import { hasFirstPassword } from './store/users.ts'
import { WorkflowRunReader } from './store/workflow-run-views.ts'
import { WorkflowVersions } from './store/workflow-versions.ts'
import { VERSION } from './version.ts'

export interface Started {
  /** where this machine reaches it, `http://127.0.0.1:8080` */
  readonly url: string
  /** what this node is called among others */
  readonly node: string
  /** by which an embedded executor joins; null when it is turned off, or the group `default` is gone */
  readonly embeddedToken: string | null
  /** the first account still has the password that the documentation names */
  readonly hasFirstPassword: boolean
}

export interface Server {
  /** Opens the store, takes the port and begins to fire. Throws `StartProblem` with one line that says what to do. */
  start(): Promise<Started>
  /** Fires and dispatches nothing more; reports of runs are still taken. `stop` does it too. */
  retire(): Promise<void>
  /** Ends in order: nothing new, what is in flight becomes durable, executors and consoles are told to come back later. */
  stop(): Promise<void>
}

export interface ServerOverrides {
  /** folder of a built console; null: none */
  readonly consoleDir?: string | null
}

/** The composition root: the one place that chooses adapters and joins the parts. */
export function createServer(config: Config, log: Log, overrides: ServerOverrides = {}): Server {
  return new NodeServer(config, log, overrides)
}

/** Everything that has to be ended, in the order in which it was made. */
interface Parts {
  readonly clock: ClusterClock
  readonly cluster: Cluster
  readonly store: OpenStore
  readonly logs: LogStore
  readonly engine: Engine
  readonly links: Links
  readonly stream: StreamLink
  readonly post: PostLink
  readonly xxl: XxlLink | null
  readonly live: LiveServer
  readonly access: AccessFacts
  readonly reads: CachedReads
  readonly coming: ComingFirings
  readonly stopped: KeptRead<Attention[]>
  readonly refusals: Refusals
  readonly origins: Origins
  readonly uses: SecretUses
  readonly http: FastifyInstance
  readonly housekeeper: Housekeeper
  readonly sender: Sender
  readonly reckoner: Housekeeper
}

const CUT_CALLS_AFTER_MS = 3000
const RECKONER_FIRST_MS = 5000
const RECKONER_REST_MS = 10_000

class NodeServer implements Server {
  readonly #config: Config
  readonly #log: Log
  readonly #overrides: ServerOverrides
  #parts: Parts | null = null
  #stopping: Promise<void> | null = null
  #phase: 'starting' | 'open' | 'stopping' = 'starting'

  constructor(config: Config, log: Log, overrides: ServerOverrides) {
    this.#config = config
    this.#log = log
    this.#overrides = overrides
  }

  async start(): Promise<Started> {
    const store = await openStore(this.#config)
    const parts = await this.#build(store).catch(async (error: unknown) => {
      await store.close()
      throw error
    })
    this.#parts = parts
    try {
      const port = await listen(parts.http, this.#config)
      await parts.engine.start(parts.links)
      parts.housekeeper.start()
      if (fires(this.#config.role)) parts.sender.start()
      parts.reckoner.start()
      this.#phase = 'open'
      const first = { db: store.db, ids: new RunIds(store.db, () => parts.clock.now()), now: () => parts.clock.now(), config: this.#config }
      return {
        url: `http://${urlHost(this.#config.host)}:${port}`,
        node: nodeOf(this.#config).name,
        embeddedToken: this.#config.embeddedExecutor ? await embeddedToken(first) : null,
        hasFirstPassword: await store.db.read(hasFirstPassword),
      }
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async retire(): Promise<void> {
    await this.#parts?.engine.retire()
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    await this.#stopping
  }

  async #stopAll(): Promise<void> {
    const parts = this.#parts
    if (parts === null) return
    await parts.housekeeper.stop()
    // a mail server that does not answer keeps no slot from being handed over
    const isSent = parts.sender.stop()
    await parts.reckoner.stop()
    await parts.engine.retire()
    this.#phase = 'stopping'
    parts.live.stop()
    await parts.stream.close()
    await closeHttp(parts.http)
    await parts.post.close()
    await parts.xxl?.close()
    await parts.engine.stop()
    await parts.uses.idle()
    await parts.refusals
      .stop()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'refused calls of the last minute are not in the audit log'))
    await isSent
    parts.access.stop()
    parts.reads.stop()
    parts.coming.stop()
    parts.stopped.stop()
    await parts.cluster.close()
    parts.clock.stop()
    await parts.store.close()
  }

  /** What it opens is ended again when the rest cannot be made. */
  async #build(store: OpenStore): Promise<Parts> {
    const log = this.#log
    for (const warning of store.warnings) log.warn(warning)
    const clock = await ClusterClock.start({
      source: () => store.db.now(),
      onStep: (byMs) => log.warn({ byMs }, "a clock was set (the database's, on SQLite that of this machine): time has stepped"),
      onSkew: (skewMs, isWrong) =>
        isWrong
          ? log.warn({ skewMs }, "the clock of this machine differs from the database's, which all nodes follow: check its time service")
          : log.info({ skewMs }, "the clock of this machine agrees with the database's again"),
    })
    try {
      const cluster = await openCluster(this.#config, { log, monotonic: () => clock.monotonic(), db: store.db })
      return await this.#join(store, clock, cluster).catch(async (error: unknown) => {
        await cluster.close()
        throw error
      })
    } catch (error) {
      clock.stop()
      throw error
    }
  }

  async #join(store: OpenStore, clock: ClusterClock, cluster: Cluster): Promise<Parts> {
    const config = this.#config
    const log = this.#log
    const { db, logs } = store
    const node = nodeOf(config)
    const now = (): number => clock.now()
    const ids = new RunIds(db, now)
    await firstStart({ db, ids, now, config })
    const secret = loadSecret(resolve(config.dataDir), config.secret)
    const sessionTokens = new ExecutorSessionTokens(secret)
    const serverZone = Intl.DateTimeFormat().resolvedOptions().timeZone
    const vault = vaultOf(config, secret)
    const sealed = await sealedWarning(db, vault)
    if (sealed !== null) log.error(sealed)
    const book = new SecretBook({ db, vault, monotonic: () => clock.monotonic() })
    const uses = new SecretUses({
      db,
      ids,
      now,
      onTrouble: (error) => log.warn({ err: error }, 'the last use of secrets could not be noted'),
    })
    const engine = await Engine.create({
      db,
      logs,
      clock,
      random: { next: () => Math.random() },
      log,
      node,
      cluster,
      skewMs: () => clock.skewMs(),
      version: VERSION,
      serverZone,
      rightsOf: (userId) => editorRights(db, userId),
      scopesOf: (caller) => askerRights(db, caller, now()),
      verifySession: (token) => sessionTokens.verify(token),
      heartbeatMs: config.executor.heartbeatMs,
      deadMs: config.executor.deadMs,
      logLimitBytes: config.log.maxBytes,
      maxOpenRuns: config.openRuns.max,
      references: book,
      onSecrets: (given) => uses.given(given),
    })
    const networks = networksOf(config)
    const origins = new Origins({ isExposed: !isLoopbackHost(config.host), ...config.http })
    const links = new Links(engine)
    const stream = links.add((host) => new StreamLink({ host, node: node.name, warn: (facts, message) => log.warn(facts, message) }))
    const post = links.add(
      (host) =>
        new PostLink({
          host,
          tokenOf: (session) => sessionTokens.issue(session),
          addressOf: (session) => addressOf(db, session),
          check: problemsOf,
          networks,
          warn: (facts, message) => log.warn(facts, message),
        }),
    )
    const refusals = new Refusals({ db, ids, now })
    refusals.start((error) => log.warn({ err: error }, 'refused calls could not be written to the audit log'))
    const monotonic = (): number => clock.monotonic()
    const cache = new SignedCache(cluster.cache, secret)
    const access = new AccessFacts({ db, cache, events: engine.events, monotonic })
    const reads = new CachedReads({ db, cache, events: engine.events, bus: cluster.bus, monotonic })
    const coming = new ComingFirings({ db, events: engine.events, now, monotonic })
    const stopped = new KeptRead({ events: engine.events, monotonic, load: () => stoppedTasks(db) })
    const xxlTokens = new Sealed(secret, 'XXL-JOB tokens of groups')
    const xxl =
      config.xxl.accessToken === ''
        ? null
        : links.add((host) => xxlLink(host, { config, store, engine, ids, sessionTokens, reads, xxlTokens, networks, log }))
    const sessions = new Sessions({ db, ids, facts: access, refusals, secret, now, monotonic })
    const identities = new Identities({ sessions, facts: access, ids, now })
    const rateLimit = new RateLimit(cluster.buckets, config.rateLimit)
    const locate: Locate = (resource, id) => groupOf(db, resource, id)
    const versions = new WorkflowVersions()
    const workflowRuns = new WorkflowRunReader({ db, versions, serverZone })
    const live = new LiveServer({
      identities,
      events: engine.events,
      logs,
      log,
      takeRead: (user) => rateLimit.take('read', { whose: bucketOf(user), own: user.token?.rateLimit ?? null }, null),
      takeAnonymous: (ip) => rateLimit.take('anonymous', { whose: callerKey(ip) }, null),
      limits: config.live,
      watching: (isWatched) => engine.relay.setWatching(isWatched),
      reads: {
        instances: (wanted, scope) => instancesById(db, scope, wanted),
        workflowRun: (workflowRunId, scope, mayViewParams) => workflowRuns.live(scope, workflowRunId, mayViewParams),
        progress: async (instanceId) => (await getInstance(db, 'all', instanceId, () => false)).progress,
        executors: async (wanted, scope) => {
          const known = await engine.liveExecutors()
          return executorsById(db, scope, { ids: wanted, find: (executorId) => inFlightOf(known.get(executorId)) })
        },
        incidents: (wanted, scope) => incidentsById(db, scope, wanted),
        bulk: (bulkId, user) => findBulk(db, bulkReader(user), bulkId),
        hasGroup: async (groupId) => (await locate('group', groupId)) !== null,
        run: async (instanceId) => {
          const head = await runHead(db, 'all', instanceId)
          return head === null ? null : { groupId: head.groupId, hasEnded: head.isEnded }
        },
      },
    })
    const metrics = new Metrics({
      status: () => engine.status(),
      live: () => live.figures,
      cluster,
      skewMs: () => clock.skewMs(),
      reckoner: () => db.read(reckonerRow),
      now,
    })
    const change = makeChanges(ids, now)
    const { sender, ...alarms } = this.#alarms({ db, cluster, clock, secret, takeId: () => ids.take(1) })
    engine.events.listen((events) => events.some(({ kind }) => kind === 'alarmTold') && sender.kick())
    const gate: Gate = {
      credentials: { identities, sessionTokens, findExecutorToken: (text) => access.executorToken(text, now()) },
      rateLimit,
      refusals,
      locate,
      groupNamed: (name, scope) => groupNamed(db, name, scope),
      role: config.role,
      origins,
    }
    const handlers: Handlers = {
      ...authHandlers({ db, sessions }),
      ...groupHandlers({ db, change, reads, sealToken: (token) => xxlTokens.seal(token) }),
      ...taskHandlers({ db, commands: engine, locate, serverZone, now }),
      ...instanceHandlers({ db, commands: engine, logs, now }),
      ...workflowHandlers({ db, versions, commands: engine, locate, serverZone, now }),
      ...backfillHandlers({ db, commands: engine, serverZone, now }),
      ...bulkHandlers({ db, commands: engine }),
      ...workflowRunHandlers({ reader: workflowRuns, commands: engine }),
      ...executorHandlers({
        db,
        commands: engine,
        reads,
        sessionTokens,
        liveExecutors: () => engine.liveExecutors(),
        timing: config.executor,
        now,
        post: {
          readAddress,
          refusalOf: (address) => networks.refusalNow(address),
          register: (session, address) => post.register(session, address),
          beat: (session, beat) => post.beat(session, beat),
          report: (session, body) => post.report(session, body),
        },
      }),
      ...tokenHandlers({ db, change, access, now }),
      ...auditHandlers({ db, change }),
      ...userHandlers({ db, change, access }),
      ...roleHandlers({ db, change, access }),
      ...alarmChannelHandlers({ db, change, ...alarms }),
      ...alarmHandlers({ db, change, now }),
      ...variableHandlers({ db, change, vault, changed: () => book.refresh() }),
      ...calendarHandlers({ db, change, commands: engine, serverZone, now }),
      ...dashboardHandlers({ db, coming, stopped: () => stopped.current(), reads, now }),
      ...completenessHandlers({ db, now }),
      ...searchHandlers({ db }),
      ...documentHandlers({ db, commands: engine, change }),
      ...clusterHandlers({ commands: engine }),
      ...storageHandlers({ db, logs, retention: config.retention, now }),
      ...systemHandlers({
        db,
        status: () => engine.status(),
        metrics,
        isOpen: () => this.#phase === 'open',
        role: config.role,
        redis: () => cluster.state,
      }),
    }
    const consoleDir = this.#overrides.consoleDir === undefined ? findConsole() : this.#overrides.consoleDir
    const http = await createHttp({
      gate,
      handlers,
      metrics,
      log,
      consoleDir,
      http: config.http,
      xxl: xxlCalls(xxl),
      refuse: () => this.#refuse(),
    })
    http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head))
    const housekeeper = new Housekeeper({
      clock,
      isMine: () => engine.keepsHouse,
      chores: [
        new Folder(db),
        new Pruner({ db, logs, retention: config.retention }),
        { step: async (at) => (await prunePastSecrets(db, at)) === 500 },
      ],
      onTrouble: (error) => log.warn({ err: error }, 'housekeeping failed and is tried again'),
    })
    const reckoner = new Housekeeper({
      clock,
      isMine: () => engine.reckons,
      chores: [new Reckoner({ db, clock, ids, onIncomplete: (found) => this.#incomplete(found) })],
      onTrouble: (error) => log.warn({ err: error }, 'reckoning failed and is tried again'),
      firstAfterMs: RECKONER_FIRST_MS,
      restMs: RECKONER_REST_MS,
    })
    return {
      clock,
      cluster,
      store,
      logs,
      engine,
      links,
      stream,
      post,
      xxl,
      live,
      access,
      reads,
      coming,
      stopped,
      refusals,
      origins,
      uses,
      http,
      housekeeper,
      reckoner,
      sender,
    }
  }

  /** What tells people: the loop that empties the outbox, and what is asked of channels at once. */
  #alarms({ db, cluster, clock, secret, takeId }: AlarmNeeds): { sender: Sender; seal: Seal; post: AlarmPost } {
    const { publicUrl } = this.#config
    const log = this.#log
    const seal = new Sealed(secret, 'secrets of alarm channels')
    const postman = new Postman(alarmNetworksOf(this.#config))
    const common = { postman, openChannel: (row: AlarmChannelRow) => openChannel(row, seal), publicUrl }
    const sender = new Sender({
      ...common,
      db,
      clock,
      buckets: cluster.buckets,
      random: () => Math.random(),
      takeId,
      onTrouble: (error) => log.warn({ err: error }, 'alarms could not be sent and are tried again'),
    })
    const desk = new Desk({ ...common, now: () => clock.now(), monotonic: () => clock.monotonic() })
    const post: AlarmPost = {
      test: (channel) => desk.test(channel),
      preview: (asked) => desk.preview(asked),
      subjectOf: (delivery, language, timezone) => desk.subjectOf(delivery, language, timezone),
      kick: () => (fires(this.#config.role) ? sender.kick() : undefined),
    }
    return { sender, seal, post }
  }

  /** The ledger does not cover what was due, or covers it twice: the one thing that must never be. */
  #incomplete(found: readonly Incomplete[]): void {
    for (const one of found) this.#log.error({ ...one }, 'the ledger is not complete: see the dashboard of the console')
  }

  /** Why no call is taken just now; null: they are. */
  #refuse(): AppError | null {
    if (this.#phase === 'open') return null
    if (this.#phase === 'stopping')
      return new AppError('STOPPING', 'This server is stopping: try again in a few seconds.', { params: { retryAfterSeconds: 5 } })
    return new AppError('NOT_READY', 'This server is starting: try again in a second.', { params: { retryAfterSeconds: 1 } })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const parts = this.#parts
    socket.on('error', () => socket.destroy())
    if (parts === null || this.#phase !== 'open') return refuseUpgrade(socket, '503 Service Unavailable')
    if (hasTooManyHeaders(request)) return refuseUpgrade(socket, '431 Request Header Fields Too Large')
    if (parts.stream.upgrade(request, socket, head)) return
    if (!servesPeople(this.#config.role)) return refuseUpgrade(socket, '421 Misdirected Request')
    const arrival: Arrival = { headers: request.headers, address: request.socket.remoteAddress ?? '', requestId: '' }
    if (!parts.origins.isOwnPage(arrival)) {
      this.#log.warn(
        { origin: request.headers.origin, host: request.headers.host },
        'a page of another address tried to open a WebSocket: if it is the console behind a proxy, let the proxy pass Host on, or name the address in http.origins',
      )
      return refuseUpgrade(socket, '403 Forbidden')
    }
    const origin = parts.origins.of(arrival)
    if (!parts.live.upgrade(request, socket, { head, origin })) refuseUpgrade(socket, '404 Not Found')
  }
}

interface Shared {
  readonly log: Log
  readonly monotonic: () => number
  readonly db: Database
}

/** What was sealed before a key of its own was set opens with the secret of the installation. */
function vaultOf({ secrets }: Config, secret: string): Vault {
  const previous = secrets.previousKeys.split(',').flatMap((key) => (key.trim() === '' ? [] : [key.trim()]))
  return secrets.key === '' ? new Vault(secret, previous) : new Vault(secrets.key, [secret, ...previous])
}

/** A server that only this machine reaches is one of a single machine: its executors are there too. */
function networksOf({ executor, host }: Config): Networks {
  return new Networks({ listed: executor.networks, isLoopbackOpen: isLoopbackHost(host) })
}

/** Channels are called by the same rule. */
function alarmNetworksOf({ alarm, host }: Config): Networks {
  return new Networks({ listed: alarm.networks, isLoopbackOpen: isLoopbackHost(host), setting: ALARM_NETWORKS })
}

interface AlarmNeeds {
  readonly db: Database
  readonly cluster: Cluster
  readonly clock: ClusterClock
  readonly secret: string
  readonly takeId: () => Promise<number>
}

interface XxlNeeds {
  readonly config: Config
  readonly store: OpenStore
  readonly engine: Engine
  readonly ids: RunIds
  readonly sessionTokens: ExecutorSessionTokens
  readonly reads: CachedReads
  readonly xxlTokens: Sealed
  readonly networks: Networks
  readonly log: Log
}

function xxlLink(host: LinkHost, { config, store, engine, ids, sessionTokens, reads, xxlTokens, networks, log }: XxlNeeds): XxlLink {
  return new XxlLink({
    host,
    db: store.db,
    logs: store.logs,
    takeIds: (count) => ids.take(count),
    register: (groupId, register, reach) => engine.registerExecutor(groupId, register, SYSTEM, reach),
    issueToken: (session) => sessionTokens.issue(session),
    onExecutors: () => reads.changed(),
    access: new Access({
      db: store.db,
      sharedToken: config.xxl.accessToken,
      openToken: (sealed) => xxlTokens.open(sealed),
      isSame: sameText,
      log,
    }),
    networks,
    capacity: config.xxl.capacity,
    logLimitBytes: config.log.maxBytes,
    log,
  })
}

function xxlCalls(link: XxlLink | null): XxlCalls | null {
  if (link === null) return null
  return {
    wrongToken: WRONG_TOKEN,
    admits: (token) => link.admits(token),
    registry: (body, of) => link.registry(body, of),
    registryRemove: (body, token) => link.registryRemove(body, token),
    callback: (body, token) => link.callback(body, token),
  }
}

/** What nodes share beside the store: Redis where the settings name one, under the name of the store, else the memory of this process. */
async function openCluster({ redis }: Config, { log, monotonic, db }: Shared): Promise<Cluster> {
  const alone = memoryCluster(monotonic)
  if (redis.url === '') return alone
  const cluster = await openRedisCluster({ url: redis.url, prefix: `tickwheel.${await storeId(db)}`, log, localBuckets: alone.buckets })
  if (cluster.state === 'away')
    log.warn(
      { redis: withoutAccount(redis.url) },
      'Redis does not answer: this node starts without it, which costs speed only, and tries on',
    )
  return cluster
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Lets calls in flight end; one that takes longer (a download) is cut off. */
async function closeHttp(http: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => http.server.closeAllConnections(), CUT_CALLS_AFTER_MS)
  await http.close()
  clearTimeout(cut)
}

async function listen(http: FastifyInstance, { host, port }: Config): Promise<number> {
  await http.ready()
  try {
    http.server.listen(port, host)
    await once(http.server, 'listening')
  } catch (error) {
    throw listenProblem(error, host, port)
  }
  const address = http.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}

function listenProblem(error: unknown, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    const owner = findPortOwner(port)
    return new StartProblem(
      `Port ${port} is taken${owner === null ? '' : ` by ${owner}`}: stop that program, or choose another port: TICKWHEEL_PORT=8090 npm start`,
      error,
    )
  }
  if (code === 'EACCES')
    return new StartProblem(`This user may not listen on port ${port}: choose one above 1023, like TICKWHEEL_PORT=8090.`, error)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new StartProblem(
      `${host} is no address of this machine: set host (TICKWHEEL_HOST) to 127.0.0.1, 0.0.0.0 or one that it has.`,
      error,
    )
  return error instanceof Error ? error : new Error(String(error))
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
