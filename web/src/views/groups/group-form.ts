import type { Group, GroupCreate } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

export interface GroupForm {
  name: string
  appName: string
  description: string
  concurrency: number
}

const APP_NAME = /^[a-z][a-z0-9-]{1,63}$/

export function formOf(group: Group | null): GroupForm {
  return { name: group?.name ?? '', appName: group?.appName ?? '', description: group?.description ?? '', concurrency: group?.concurrency ?? 0 }
}

/** What is wrong before it is sent: `{ appName: 'sentence' }`. The server checks again. */
export function checkGroup(form: GroupForm): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (form.name.trim() === '') wrong['name'] = t('groups.nameMissing')
  else if (form.name.includes('/')) wrong['name'] = t('groups.nameSlash')
  if (!APP_NAME.test(form.appName)) wrong['appName'] = t('groups.appNameBad')
  return wrong
}

export function bodyOf(form: GroupForm): GroupCreate {
  return { name: form.name.trim(), appName: form.appName, description: form.description, concurrency: form.concurrency }
}

/** A first guess for the application name, while nobody has typed one: `Billing jobs` → `billing-jobs`. */
export function guessAppName(name: string): string {
  const words = name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-')
  return words.replace(/^[-0-9]+|-+$/g, '').slice(0, 64)
}
