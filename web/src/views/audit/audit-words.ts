import type { AuditListItem } from '@tickwheel/contract'
import type { RouteLocationRaw } from 'vue-router'
import { t, tMaybe } from '../../locales/text.ts'

/** An action in words: `Edit task`. One that this console does not know stays as the server names it. */
export function actionWords(action: string): string {
  const [kind = '', verb = ''] = action.split(':')
  const special = tMaybe(`audit.special.${action.replace(':', '_')}`)
  if (special !== null) return special
  const [verbWords, kindWords] = [tMaybe(`audit.verbs.${verb}`), tMaybe(`audit.kinds.${kind}`)]
  return verb === '' || verbWords === null || kindWords === null ? action : t('audit.of', { verb: verbWords, kind: kindWords })
}

export function kindWords(kind: string): string {
  return tMaybe(`audit.kinds.${kind}`) ?? kind
}

/** Actions that can be filtered by, under the kind of thing that they are about. */
export const ACTIONS: readonly { readonly kind: string; readonly actions: readonly string[] }[] = [
  { kind: 'auth', actions: ['auth:login', 'auth:logout', 'auth:password', 'auth:refreshReplayed'] },
  ...['group', 'task', 'workflow', 'instance', 'executor', 'token', 'user', 'role', 'calendar', 'variable', 'secret', 'alarm', 'bulk'].map((kind) => ({ kind, actions: actionsOf(kind) })),
  { kind: 'audit', actions: ['audit:export'] },
  { kind: 'document', actions: ['document:export'] },
  { kind: 'system', actions: ['system:resume'] },
]

function actionsOf(kind: string): readonly string[] {
  switch (kind) {
    case 'task':
      return ['create', 'edit', 'delete', 'start', 'stop', 'run', 'restore', 'pause', 'backfill', 'cancelBackfill'].map((verb) => `task:${verb}`)
    case 'workflow':
      return ['create', 'edit', 'delete', 'start', 'stop', 'run', 'retry', 'cancel', 'pause', 'resume', 'approve', 'reject', 'complete', 'backfill', 'cancelBackfill'].map((verb) => `workflow:${verb}`)
    case 'instance':
      return ['instance:cancel', 'instance:retry']
    case 'bulk':
      return ['bulk:start', 'bulk:cancel']
    case 'executor':
      return ['executor:drain', 'executor:resume', 'executor:delete']
    case 'token':
      return ['token:create', 'token:revoke', 'token:use']
    case 'user':
      return ['user:create', 'user:edit', 'user:password', 'user:delete']
    default:
      return ['create', 'edit', 'delete'].map((verb) => `${kind}:${verb}`)
  }
}

/** Why a call was refused. A right that was missing is what the entry calls its action. */
export function refusalWords({ code, action }: Pick<AuditListItem, 'code' | 'action'>): string {
  return code === null ? '' : (tMaybe(`errors.${code}`, { permission: action }) ?? code)
}

/** Who did it, in words: a person who was not signed in has no name. */
export function actorName({ actor, ip }: Pick<AuditListItem, 'actor' | 'ip'>): string {
  if (actor.kind === 'system') return t('audit.actors.system')
  if (actor.name === 'others' && ip === '') return t('audit.others')
  return actor.name === '' ? t('audit.nobody') : actor.name
}

/** Where a thing is shown; null: nowhere, or it is not there any more. */
export function placeOf({ resource, action, outcome }: Pick<AuditListItem, 'resource' | 'action' | 'outcome'>): RouteLocationRaw | null {
  const { kind, id } = resource
  if (id === null || (action.endsWith(':delete') && outcome === 'done')) return null
  switch (kind) {
    case 'task':
    case 'workflow':
    case 'bulk':
      return { name: kind, params: { id } }
    case 'instance':
      return { name: 'run', params: { id } }
    case 'workflowRun':
      return { name: 'workflow-run', params: { id } }
    case 'group':
      return { name: 'tasks', query: { group: id } }
    case 'executor':
      return { name: 'executors', query: { executor: id } }
    case 'user':
      return { name: 'users', query: { user: id } }
    default:
      return null
  }
}
