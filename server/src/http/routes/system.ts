import { AppError } from '@tickwheel/contract'
import type { Cluster } from '../../cluster/cluster.ts'
import type { EngineStatus } from '../../engine/commands.ts'
import type { Database } from '../../store/database.ts'
import { instantText } from '../../store/page.ts'
import { hasUsers } from '../../store/users.ts'
import { VERSION } from '../../version.ts'
import { Streamed, type HandlersOf } from '../handlers.ts'
import { fires, type Role } from '../roles.ts'
import type { Metrics } from '../metrics.ts'
import { openApiDocument } from '../openapi.ts'

export interface SystemParts {
  readonly db: Database
  readonly status: () => EngineStatus
  readonly metrics: Metrics
  readonly isOpen: () => boolean
  readonly role: Role
  readonly redis: () => Cluster['state']
}

export function systemHandlers({
  db,
  status,
  metrics,
  isOpen,
  role,
  redis,
}: SystemParts): HandlersOf<'healthz' | 'readyz' | 'metrics' | 'openapi'> {
  const document = openApiDocument(VERSION)
  return {
    healthz: async () => ({ status: 'ok' }),
    readyz: async () => {
      const checks = {
        store: await checkStore(db, status()),
        ...(fires(role) ? { slots: status().isInTime ? 'ok' : 'not kept' } : {}),
        calls: isOpen() ? 'ok' : 'not taken',
      }
      if (Object.values(checks).some((check) => check !== 'ok'))
        throw new AppError(
          'NOT_READY',
          'Not ready: ' +
            Object.entries(checks)
              .map(([name, check]) => `${name} ${check}`)
              .join(', '),
          { params: checks },
        )
      return { ready: true, checks: { ...checks, ...told(status(), redis()) } }
    },
    metrics: async () => new Streamed(metrics.contentType, await metrics.text()),
    openapi: async () => document,
  }
}

/**
 * What is told and keeps nobody away: without Redis everything goes on from the database, only slower; and people must reach a node whose firing is held
 * to let it go on.
 */
function told({ held }: EngineStatus, redis: Cluster['state']): Record<string, string> {
  return {
    ...(redis === 'none' ? {} : { redis }),
    ...(held === null ? {} : { firing: `held since ${instantText(held.since)}, because the store was restored: choose how to go on` }),
  }
}

async function checkStore(db: Database, { storeAway }: EngineStatus): Promise<string> {
  if (storeAway) return 'away'
  try {
    await db.read(hasUsers)
    return 'ok'
  } catch {
    return 'away'
  }
}
