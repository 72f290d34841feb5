import type { AlarmChannel, Incident } from '@tickwheel/contract'
import type { RouteLocationRaw } from 'vue-router'
import { t, tMaybe, type MessageKey } from '../../locales/text.ts'

/** What an incident is about, in words: a task by its name alone, everything else with what it is. */
export function targetWords({ kind, name }: Incident['target']): string {
  if (kind === 'task' || kind === 'workflow') return name
  if (kind === 'system') return t('alarms.targets.system')
  return `${t(`alarms.targets.${kind}`)} ${name}`
}

/** Where what it is about is shown; null: nowhere. */
export function targetPlace({ kind, id }: Incident['target']): RouteLocationRaw | null {
  if (kind === 'node' || kind === 'system') return { name: 'system' }
  if (id === null) return null
  switch (kind) {
    case 'task':
    case 'workflow':
      return { name: kind, params: { id } }
    case 'group':
      return { name: 'tasks', query: { group: id } }
    case 'executor':
      return { name: 'executors', query: { executor: id } }
    case 'channel':
      return { name: 'alarm-channels', query: { channel: id } }
  }
}

/** Why an incident is over: a word of the server, or who closed it. */
export function recoveryWords(by: string): string {
  return tMaybe(`alarms.incidents.recoveredBy.${by}`) ?? t('alarms.incidents.recoveredBy.person', { by })
}

const STATE_COLOURS = { open: 'failed', acknowledged: 'skipped', recovered: 'succeeded', waiting: 'waiting', sent: 'succeeded', failed: 'failed', dropped: 'canceled' } as const

/** The colour of a state of an incident or of a message: those of runs, with which they share their meaning. */
export function stateColour(state: keyof typeof STATE_COLOURS): string {
  return `var(--state-${STATE_COLOURS[state]})`
}

/** Where a channel leads, in one line. */
export function leadsTo({ settings }: Pick<AlarmChannel, 'settings'>): string {
  if (settings === null) return t('alarms.hidden')
  if (settings.kind === 'email') return settings.to.join(', ')
  return settings.url.replace(/^https?:\/\//, '').replace(/\/\*\*\*$/, '')
}

export const SILENCES: readonly { readonly name: MessageKey; readonly ms: number }[] = [
  { name: 'alarms.incidents.silence1h', ms: 3_600_000 },
  { name: 'alarms.incidents.silence8h', ms: 28_800_000 },
  { name: 'alarms.incidents.silence1d', ms: 86_400_000 },
  { name: 'alarms.incidents.silence7d', ms: 604_800_000 },
]
