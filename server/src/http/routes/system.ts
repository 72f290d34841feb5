import { AppError } from '@tickwheel/contract'
import type { EngineStatus } from '../../engine/commands.ts'
import type { Database } from '../../store/database.ts'
import { hasUsers } from '../../store/users.ts'
import { VERSION } from '../../version.ts'
import { Streamed, type HandlersOf } from '../handlers.ts'
import type { Metrics } from '../metrics.ts'
import { openApiDocument } from '../openapi.ts'

export function systemHandlers({
  db,
  status,
  metrics,
  isOpen,
}: {
  db: Database
  status: () => EngineStatus
  metrics: Metrics
  isOpen: () => boolean
}): HandlersOf<'healthz' | 'readyz' | 'metrics' | 'openapi'> {
  const document = openApiDocument(VERSION)
  return {
    healthz: async () => ({ status: 'ok' }),
    readyz: async () => {
      const checks = {
        store: await checkStore(db, status()),
        engine: status().isFiring ? 'ok' : 'not firing',
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
      return { ready: true, checks }
    },
    metrics: async () => new Streamed(metrics.contentType, await metrics.text()),
    openapi: async () => document,
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
