import { Bell, Clock, Collection, Cpu, DataLine, Document, EditPen, Finished, Key, Lock, Monitor, Moon, Plus, Reading, Share, Sunny, SwitchButton, Switch, Timer, User } from '@element-plus/icons-vue'
import type { Permission } from '@tickwheel/core'
import type { Component } from 'vue'
import type { RouteMeta, RouteRecordRaw } from 'vue-router'
import { LOCALES, type Locale } from '../../locales/i18n.ts'
import { t } from '../../locales/text.ts'
import { mayOpen } from '../../router/page-needs.ts'
import type { Theme } from '../../store/preferences.ts'
import type { Entry } from './palette-entry.ts'
import type { Visit } from './recent-visits.ts'

type May = (permission: Permission) => boolean

const SECTION_ICONS: Partial<Record<NonNullable<RouteMeta['section']>, Component>> = {
  dashboard: DataLine, tasks: Timer, workflows: Share, runs: Finished, alarms: Bell, executors: Cpu, groups: Collection, variables: Key, access: Lock, system: Monitor,
}

/** Pages that are reached by their address alone, as far as somebody may open them: a new page is here by itself. */
export function pageEntries(routes: readonly RouteRecordRaw[], may: May): Entry[] {
  return routes.flatMap(({ name, path: written, meta, children }): Entry[] => {
    if (children !== undefined) return pageEntries(children, may)
    if (typeof name !== 'string' || written.includes(':') || meta?.title === undefined || meta.isPublic === true || !mayOpen(name, may)) return []
    const path = written.startsWith('/') ? written : `/${written}`
    const isNew = name.endsWith('-new')
    const icon = isNew ? Plus : name === 'account' ? User : name === 'password' ? EditPen : (SECTION_ICONS[meta.section ?? 'dashboard'] ?? Document)
    const of = sectionWords(meta.section)
    const title = t(meta.title)
    return [{ key: `page ${name}`, section: isNew || name === 'password' ? 'actions' : 'pages', title, note: of === title || isNew ? '' : of, words: [path.slice(1).replaceAll('/', ' ')], icon, to: path }]
  })
}

function sectionWords(section: RouteMeta['section']): string {
  if (section === undefined) return ''
  return section === 'access' ? t('access.title') : t(`shell.nav.${section}`)
}

export interface Doings {
  readonly theme: Theme
  readonly locale: Locale
  readonly chooseTheme: (theme: Theme) => void
  readonly chooseLocale: (locale: Locale) => void
  readonly showKeys: () => void
  readonly signOut: () => void
}

const THEME_ICONS: Readonly<Record<Theme, Component>> = { system: Monitor, light: Sunny, dark: Moon }

/** What can be done from anywhere. What is so already is not offered. */
export function actionEntries(doings: Doings): Entry[] {
  const themes = (['light', 'dark', 'system'] as const).filter((theme) => theme !== doings.theme)
  const locales = LOCALES.filter((locale) => locale !== doings.locale)
  return [
    ...themes.map((theme): Entry => ({ key: `theme ${theme}`, section: 'actions', title: t(`palette.theme.${theme}`), note: '', words: [`theme ${theme}`], icon: THEME_ICONS[theme], run: () => doings.chooseTheme(theme) })),
    ...locales.map((locale): Entry => ({ key: `locale ${locale}`, section: 'actions', title: t(`palette.language.${locale}`), note: '', words: [`language ${locale}`, locale === 'zh' ? '语言 中文 chinese' : '语言 英文 english'], icon: Switch, run: () => doings.chooseLocale(locale) })),
    { key: 'keys', section: 'actions', title: t('keyboard.title'), note: '?', words: ['keyboard shortcuts help'], icon: Reading, run: doings.showKeys },
    { key: 'api', section: 'actions', title: t('shell.user.apiReference'), note: '', words: ['api docs reference'], icon: Document, href: '/docs' },
    { key: 'out', section: 'actions', title: t('shell.user.signOut'), note: '', words: ['sign out log out logout'], icon: SwitchButton, run: doings.signOut },
  ]
}

const VISIT_KIND = { task: 'task', workflow: 'workflow', run: 'run', 'workflow-run': 'workflowRun' } as const

/** What was looked at last, without the page that is open now. */
export function recentEntries(visits: readonly Visit[], path: string): Entry[] {
  return visits
    .filter((visit) => visit.path !== path)
    .map((visit) => ({ key: `recent ${visit.path}`, section: 'recent', title: visit.name, note: t(`palette.kinds.${VISIT_KIND[visit.page]}`), icon: Clock, to: visit.path }))
}
