import type { Group, GroupCreate } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

export interface GroupForm {
  name: string
  appName: string
  description: string
  concurrency: number
  xxlAccess: Group['xxlAccess']
  xxlToken: string
}

/** What a new group begins with. */
export type GroupPreset = Pick<GroupForm, 'name' | 'appName'>

const XXL_TOKEN = /^[\x21-\x7e]{1,255}$/
const APP_NAME = /^[a-z][a-z0-9-]{1,63}$/

export function formOf(group: Group | null, preset: GroupPreset = { name: '', appName: '' }): GroupForm {
  const { name, appName } = group ?? preset
  return { name, appName, description: group?.description ?? '', concurrency: group?.concurrency ?? 0, xxlAccess: group?.xxlAccess ?? 'shared', xxlToken: '' }
}

/** What is wrong before it is sent: `{ appName: 'sentence' }`. The server checks again. */
export function checkGroup(form: GroupForm, group: Group | null): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (form.name.trim() === '') wrong['name'] = t('groups.nameMissing')
  else if (form.name.includes('/')) wrong['name'] = t('groups.nameSlash')
  if (!APP_NAME.test(form.appName)) wrong['appName'] = t('groups.appNameBad')
  const isKept = form.xxlToken === '' && group?.xxlAccess === 'own'
  if (form.xxlAccess === 'own' && !isKept && !XXL_TOKEN.test(form.xxlToken)) wrong['xxlToken'] = t('groups.xxlTokenMissing')
  return wrong
}

/** A token that is as it was is not sent. */
export function bodyOf(form: GroupForm, group: Group | null): GroupCreate {
  const body = { name: form.name.trim(), appName: form.appName, description: form.description, concurrency: form.concurrency }
  if (form.xxlAccess === 'own') return form.xxlToken === '' ? body : { ...body, xxlToken: form.xxlToken }
  if (form.xxlAccess === (group?.xxlAccess ?? 'shared')) return body
  return { ...body, xxlToken: form.xxlAccess === 'none' ? '' : null }
}

/** A first guess for the application name, while nobody has typed one: `Billing jobs` → `billing-jobs`. */
export function guessAppName(name: string): string {
  const words = name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-')
  return words.replace(/^[-0-9]+|-+$/g, '').slice(0, 64)
}
