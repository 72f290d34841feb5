import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError, DOCUMENT_LIMITS, documentToYaml, type ApplyAnswer, type TickwheelDocument } from '@tickwheel/contract'
import { isInScope, visibleScope, type Permission, type Scope } from '@tickwheel/core'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { Commands } from '../../engine/commands.ts'
import type { Applied } from '../../store/apply-document.ts'
import { writeAudit } from '../../store/audit.ts'
import type { Database } from '../../store/database.ts'
import { documentTooLarge, itemsIn } from '../../store/document-items.ts'
import { exportDocument } from '../../store/export-document.ts'
import type { MakeChange } from '../change.ts'
import { Streamed, type HandlersOf } from '../handlers.ts'
import { forbidden, ForbiddenThing, mayIn } from '../may-also.ts'
import type { YamlBody } from '../yaml-body.ts'

export function documentHandlers({
  db,
  commands,
  change,
}: {
  db: Database
  commands: Commands
  change: MakeChange
}): HandlersOf<'exportDocument' | 'applyDocument'> {
  return {
    exportDocument: async (asked) => {
      const { query, scope, who, caller, wantsYaml } = asked
      const names = query.groups?.split('/').map((name) => name.trim()) ?? null
      const document = await exportDocument(db, {
        names,
        scope: exportScope(who),
        visible: scope,
        refuse: (groupId) => refuse(who, groupId),
      })
      const isYaml = query.format === undefined ? wantsYaml : query.format === 'yaml'
      const text = isYaml ? await yamlOf(document) : JSON.stringify(document)
      if (Buffer.byteLength(text) > DOCUMENT_LIMITS.bytes) throw documentTooLarge()
      const { now, auditId } = await change(asked)
      await db.write('rest', (tx) =>
        writeAudit(tx, now, auditId, caller, {
          action: 'document:export',
          resource: { kind: 'document', id: null, key: '' },
          groupId: null,
          after: { groups: (document.groups ?? []).map(({ name }) => name), things: itemsIn(document) },
        }),
      )
      const format = isYaml ? 'yaml' : 'json'
      return new Streamed(`application/${format}; charset=utf-8`, text, `tickwheel-${stamp(now)}.${format}`)
    },
    applyDocument: async ({ query, body, who, caller, yaml }) => {
      const dryRun = query.dryRun ?? false
      const scopeOf = (permission: Permission): Scope => visibleScope(who.grants, permission)
      const applied = await commands.applyDocument({ document: body, dryRun, plan: query.plan ?? null, scopeOf }, caller)
      if (!dryRun && applied.problems.length > 0) throw refusal(applied)
      return answerOf(applied, { dryRun, yaml })
    },
  }
}

/** A document holds whole groups: with what only parameters tell. */
const EXPORT_NEEDS: readonly Permission[] = [
  'group:view',
  'task:view',
  'task:viewParams',
  'workflow:view',
  'workflow:viewParams',
  'calendar:view',
]

function exportScope({ grants }: SignedUser): Scope {
  const scopes = EXPORT_NEEDS.map((permission) => visibleScope(grants, permission))
  const narrow = scopes.filter((scope) => scope !== 'all')
  const [first] = narrow
  if (first === undefined) return 'all'
  const scope = first.filter((groupId) => narrow.every((one) => isInScope(one, groupId)))
  if (scope.length === 0) throw forbidden(missing({ grants }, null))
  return scope
}

function refuse(who: SignedUser, groupId: number): never {
  throw new ForbiddenThing(missing(who, groupId), { kind: 'group', id: groupId, groupId })
}

/** The first permission that an export lacks: in a group, or everywhere. */
function missing({ grants }: Pick<SignedUser, 'grants'>, groupId: number | null): Permission {
  const lacks = (permission: Permission): boolean => {
    if (groupId !== null) return !mayIn({ grants }, permission)(groupId)
    return visibleScope(grants, permission).length === 0
  }
  return EXPORT_NEEDS.find(lacks) ?? 'task:viewParams'
}

const THINGS_A_TURN = 50

/** Written a few things at a time: others are served in between. */
async function yamlOf(document: TickwheelDocument): Promise<string> {
  const parts: string[] = []
  for (const part of documentToYaml(document)) {
    parts.push(part)
    if (parts.length % THINGS_A_TURN === 0) await nextTurn()
  }
  return parts.join('')
}

/** `20261123T081500Z`: when it was made. */
function stamp(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

function answerOf(
  { changed: _changed, items, problems, ...rest }: Applied,
  { dryRun, yaml }: { dryRun: boolean; yaml: YamlBody | null },
): ApplyAnswer {
  return {
    ...rest,
    dryRun,
    items: items.map((item) => ({ ...item, line: yaml?.placeOf(item.path).line ?? null })),
    problems: yaml === null ? problems : yaml.located(problems),
  }
}

/** Of what may not be done, and of what has no meaning, all is told; whoever lacks a right is told that first. */
function refusal({ problems }: Applied): AppError {
  const denied = problems.find(({ code }) => code === 'NOT_PERMITTED')
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const detail = `${first?.path ?? ''}: ${first?.message ?? ''}${more}; nothing was changed`
  if (denied === undefined) return new AppError('UNPROCESSABLE', detail, { errors: problems })
  return new AppError('FORBIDDEN', detail, { errors: problems, params: { permission: String(denied.params?.['permission']) } })
}
