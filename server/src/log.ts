import { hostname } from 'node:os'
import { pino, type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config/schema.ts'

export type Log = Logger

/** Fields that a line may carry beside its message, always under these names. */
export interface LogFields {
  readonly node?: string
  readonly taskId?: number
  readonly instanceId?: number
  readonly attempt?: number
  readonly executorId?: number
  readonly requestId?: string
}

const SECRET_FIELDS = [
  'password',
  'current',
  'next',
  'token',
  'sessionToken',
  'refreshToken',
  'secret',
  'adminPassword',
  'firstExecutorToken',
  'authorization',
  'cookie',
  'sec-websocket-protocol',
  'set-cookie',
]
const paths = SECRET_FIELDS.flatMap((field) =>
  field.includes('-') ? [`["${field}"]`, `*["${field}"]`, `*.*["${field}"]`] : [field, `*.${field}`, `*.*.${field}`],
)

/**
 * The server's own log: JSON lines on stdout, readable text on a terminal. Secrets become `***` wherever they stand up to three levels deep.
 * `name`: what this process is called in each line; the host by default. `destination` is for tests.
 */
export function createLog(
  { logLevel, name = hostname() }: Pick<Config, 'logLevel'> & { readonly name?: string },
  destination: DestinationStream = standardOutput(),
): Log {
  return pino(
    {
      level: logLevel,
      base: { node: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: '***' },
      serializers: { err: pino.stdSerializers.err },
    },
    destination,
  )
}

function standardOutput(): DestinationStream {
  if (process.stdout.isTTY) return pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'node', sync: true })
  return pino.destination({ dest: 1, sync: false })
}
