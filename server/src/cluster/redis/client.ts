import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RedisNode, RedisTarget } from '../redis-url.ts'

/** The client of one Redis or of Redis Cluster: the commands are the same. */
export type Client = Redis | Cluster

const CONNECT_WITHIN_MS = 2000
/** A connection on which something is asked and nothing comes for so long is ended, with all that was asked on it. Longer than any call waits. */
const SILENT_FOR_MS = 1000
const END_WITHIN_MS = 200
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1000
const REDIRECTIONS = 3

/** A client that connects at once and again for ever. It queues nothing while it is away, and sends nothing a second time. */
export function makeClient(target: RedisTarget): Client {
  const options = sharedOptions(target)
  if (!target.isCluster) {
    const [{ host, port }] = target.nodes
    return new Redis({ ...options, host, port, db: target.db, enableOfflineQueue: false, retryStrategy: retryDelayMs })
  }
  return new Cluster([...target.nodes], {
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelayMs,
    maxRedirections: REDIRECTIONS,
    slotsRefreshTimeout: SILENT_FOR_MS,
    redisOptions: options,
  })
}

/** A connection to one node that is not renewed: whoever wants another makes one. */
export function makeSubscriberClient(target: RedisTarget, { host, port }: RedisNode): Redis {
  return new Redis({ ...sharedOptions(target), host, port, enableOfflineQueue: false, retryStrategy: () => null })
}

/** Where messages are published: any node would do, but only what goes through one stays in order. Throws while there is none. */
export function publisherOf(client: Client): Redis {
  if (client instanceof Redis) return client
  const [first] = client.nodes('master')
  if (first === undefined) throw new Error('no node of Redis Cluster is there')
  return first
}

/** 50 ms, doubled with each try up to a second; up to a fifth more, so that nodes do not come at once. */
export function retryDelayMs(attempt: number): number {
  const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10))
  return Math.round(delay * (1 + Math.random() / 5))
}

function sharedOptions({ isTls, username, password }: RedisTarget): Omit<RedisOptions, 'replyMapping'> {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(isTls ? { tls: {} } : {}),
    connectionName: 'tickwheel',
    connectTimeout: CONNECT_WITHIN_MS,
    socketTimeout: SILENT_FOR_MS,
    disconnectTimeout: END_WITHIN_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // ioredis does not await its own resubscription, whose failure would be an unhandled rejection
    autoResubscribe: false,
    // the primary became a replica: the name leads to another one
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  }
}
