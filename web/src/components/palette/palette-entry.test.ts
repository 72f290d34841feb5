import { Timer } from '@element-plus/icons-vue'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { router } from '../../router/router.ts'
import { choiceOf } from './hit-place.ts'
import { actionEntries, pageEntries, recentEntries } from './palette-entries.ts'
import { chosenFrom, grouped, type Entry } from './palette-entry.ts'
import { forgetVisits, rememberVisit, visitsOf } from './recent-visits.ts'

const entry = (key: string, title: string, more: Partial<Entry> = {}): Entry => ({ key, section: 'pages', title, note: '', icon: Timer, to: `/${key}`, ...more })
const keys = (entries: readonly { readonly key: string }[]): string[] => entries.map(({ key }) => key)

describe('what the palette offers', () => {
  beforeAll(() => loadLocale('zh'))

  it('is everything as it stands, until something is asked for', () => {
    expect(keys(chosenFrom([entry('b', 'B'), entry('a', 'A')], ' '))).toEqual(['b', 'a'])
  })

  it('is what is called so before what is only found by another word for it', () => {
    const entries = [entry('task', '任务', { words: ['task'] }), entry('api', 'Task API'), entry('other', '其他')]
    expect(keys(chosenFrom(entries, 'task'))).toEqual(['api', 'task'])
    expect(keys(chosenFrom([entry('rules', '规则', { note: '告警' })], '告警 规则'))).toEqual(['rules'])
  })

  it('stands in sections, in their order, eight of each when something is asked for', () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ ...entry(`p${index}`, 'P'), at: [] }))
    const hit = choiceOf({ kind: 'task', id: 7, name: 'P', groupId: 1, groupName: '订单', note: '' }, 'p')
    expect(grouped([hit, ...many], true).map(({ section, choices }) => [section, choices.length])).toEqual([['pages', 8], ['task', 1]])
    expect(grouped(many, false)[0]?.choices).toHaveLength(9)
  })

  it('has every page with an address of its own, by its name and its address, for who may open it', () => {
    const all = pageEntries(router.options.routes, () => true)
    expect(keys(all.filter(({ section }) => section === 'pages')).slice(0, 2)).toEqual(['page dashboard', 'page tasks'])
    expect(all.find(({ key }) => key === 'page task-new')?.section).toBe('actions')
    expect(keys(chosenFrom(all, '告警 规则'))[0]).toBe('page alarm-rules')
    expect(keys(chosenFrom(all, 'executor'))).toContain('page executors')
    for (const hidden of ['page login', 'page not-found', 'page task']) expect(keys(all)).not.toContain(hidden)
    expect(keys(pageEntries(router.options.routes, () => false))).toEqual(['page password', 'page account'])
  })

  it('does not offer what is so already', () => {
    const nothing = (): void => undefined
    const offered = keys(actionEntries({ theme: 'dark', locale: 'zh', chooseTheme: nothing, chooseLocale: nothing, showKeys: nothing, signOut: nothing }))
    expect(offered).toEqual(['theme light', 'theme system', 'locale en', 'keys', 'api', 'out'])
  })

  it('leads to each kind of thing', () => {
    const to = (kind: Parameters<typeof choiceOf>[0]['kind']) => choiceOf({ kind, id: 7, name: 'a/b', groupId: null, groupName: null, note: '' }, '').to
    expect(to('workflowRun')).toBe('/workflow-run/7')
    expect(to('group')).toBe('/group?q=a%2Fb')
    expect(choiceOf({ kind: 'run', id: 41, name: 'sync', groupId: 1, groupName: '订单', note: '' }, '41')).toMatchObject({ title: 'sync #41', note: '订单', at: [6, 7] })
    expect(choiceOf({ kind: 'user', id: 1, name: 'wang', groupId: null, groupName: null, note: '王磊' }, 'wa')).toMatchObject({ note: '王磊', at: [0, 1] })
  })
})

describe('what was seen lately', () => {
  afterEach(() => localStorage.clear())

  it('is kept for each user, the latest first, each thing once, twelve at most', () => {
    for (let id = 1; id <= 14; id += 1) rememberVisit(1, { page: 'task', path: `/task/${id}`, name: `t${id}` })
    rememberVisit(1, { page: 'task', path: '/task/5', name: 'renamed' })
    rememberVisit(2, { page: 'run', path: '/run/1', name: 'other' })
    const visits = visitsOf(1)
    expect(visits).toHaveLength(12)
    expect(visits.slice(0, 2).map(({ name }) => name)).toEqual(['renamed', 't14'])
    expect(recentEntries(visits, '/task/5')[0]).toMatchObject({ title: 't14', note: '任务', to: '/task/14' })
    forgetVisits(1)
    expect([visitsOf(1), visitsOf(2).length]).toEqual([[], 1])
  })

  it.each(['{', '7', '[null, 1, {"page":"task"}]', '[{"page":"task","path":"//evil.example","name":"x"}]', '[{"page":"login","path":"/login","name":"x"}]'])('is nothing where the browser kept %s', (kept) => {
    localStorage.setItem('tickwheel.recent.1', kept)
    expect(visitsOf(1)).toEqual([])
  })
})
