import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteLocationRaw, type RouteRecordRaw } from 'vue-router'
import type { MessageKey } from '../locales/text.ts'
import { useSession } from '../store/session.ts'
import { firstPage, mayOpen } from './page-needs.ts'

declare module 'vue-router' {
  interface RouteMeta {
    /** shown without signing in */
    isPublic?: boolean
    title?: MessageKey
    /** which entry of the rail is lit */
    section?: 'dashboard' | 'tasks' | 'workflows' | 'runs' | 'executors' | 'groups' | 'alarms' | 'variables' | 'calendars' | 'access' | 'system'
  }
}

const pages: RouteRecordRaw[] = [
  { path: '', redirect: '/dashboard' },
  { path: 'dashboard', name: 'dashboard', component: () => import('../views/dashboard/dashboard-page.vue'), meta: { title: 'dashboard.title', section: 'dashboard' } },
  { path: 'task', name: 'tasks', component: () => import('../views/tasks/tasks-page.vue'), meta: { title: 'shell.nav.tasks', section: 'tasks' } },
  { path: 'task/new', name: 'task-new', component: () => import('../views/editor/editor-page.vue'), meta: { title: 'editor.createTitle', section: 'tasks' } },
  { path: 'task/:id(\\d+)', alias: '/tasks/:id(\\d+)', name: 'task', component: () => import('../views/task/task-page.vue'), meta: { title: 'shell.nav.tasks', section: 'tasks' } },
  { path: 'task/:id(\\d+)/edit', name: 'task-edit', component: () => import('../views/editor/editor-page.vue'), meta: { title: 'editor.editTitle', section: 'tasks' } },
  { path: 'workflow', name: 'workflows', component: () => import('../views/workflows/workflows-page.vue'), meta: { title: 'shell.nav.workflows', section: 'workflows' } },
  { path: 'workflow/new', name: 'workflow-new', component: () => import('../views/workflow-editor/workflow-editor-page.vue'), meta: { title: 'workflows.editor.createTitle', section: 'workflows' } },
  { path: 'workflow/:id(\\d+)', name: 'workflow', component: () => import('../views/workflow/workflow-page.vue'), meta: { title: 'shell.nav.workflows', section: 'workflows' } },
  { path: 'workflow/:id(\\d+)/edit', name: 'workflow-edit', component: () => import('../views/workflow-editor/workflow-editor-page.vue'), meta: { title: 'shell.nav.workflows', section: 'workflows' } },
  { path: 'run', name: 'runs', component: () => import('../views/runs/runs-page.vue'), meta: { title: 'shell.nav.runs', section: 'runs' } },
  { path: 'run/:id(\\d+)', alias: '/runs/:id(\\d+)', name: 'run', component: () => import('../views/run/run-page.vue'), meta: { title: 'shell.nav.runs', section: 'runs' } },
  { path: 'workflow-run', name: 'workflow-runs', component: () => import('../views/workflow-runs/workflow-runs-page.vue'), meta: { title: 'workflowRuns.title', section: 'runs' } },
  { path: 'workflow-run/:id(\\d+)', alias: '/workflow-runs/:id(\\d+)', name: 'workflow-run', component: () => import('../views/workflow-run/workflow-run-page.vue'), meta: { title: 'workflowRuns.title', section: 'runs' } },
  { path: 'bulk', name: 'bulks', component: () => import('../views/bulk/bulks-page.vue'), meta: { title: 'bulk.title', section: 'runs' } },
  { path: 'bulk/:id(\\d+)', name: 'bulk', component: () => import('../views/bulk/bulk-page.vue'), meta: { title: 'bulk.title', section: 'runs' } },
  { path: 'executor', name: 'executors', component: () => import('../views/executors/executors-page.vue'), meta: { title: 'shell.nav.executors', section: 'executors' } },
  { path: 'group', name: 'groups', component: () => import('../views/groups/groups-page.vue'), meta: { title: 'shell.nav.groups', section: 'groups' } },
  { path: 'variable', name: 'variables', component: () => import('../views/variables/variables-page.vue'), meta: { title: 'shell.nav.variables', section: 'variables' } },
  { path: 'calendar', name: 'calendars', component: () => import('../views/calendar/calendars-page.vue'), meta: { title: 'calendars.title', section: 'calendars' } },
  { path: 'calendar/new', name: 'calendar-new', component: () => import('../views/calendar/calendar-page.vue'), meta: { title: 'calendars.createTitle', section: 'calendars' } },
  { path: 'calendar/:id(\\d+)', name: 'calendar', component: () => import('../views/calendar/calendar-page.vue'), meta: { title: 'calendars.title', section: 'calendars' } },
  { path: 'alarm', name: 'alarms', component: () => import('../views/alarm/incidents-page.vue'), meta: { title: 'alarms.title', section: 'alarms' } },
  { path: 'alarm/incident/:id(\\d+)', name: 'incident', component: () => import('../views/alarm/incidents-page.vue'), meta: { title: 'alarms.title', section: 'alarms' } },
  { path: 'alarm/rule', name: 'alarm-rules', component: () => import('../views/alarm/rules-page.vue'), meta: { title: 'alarms.tabs.rules', section: 'alarms' } },
  { path: 'alarm/channel', name: 'alarm-channels', component: () => import('../views/alarm/channels-page.vue'), meta: { title: 'alarms.tabs.channels', section: 'alarms' } },
  { path: 'alarm/delivery', name: 'alarm-deliveries', component: () => import('../views/alarm/deliveries-page.vue'), meta: { title: 'alarms.tabs.deliveries', section: 'alarms' } },
  { path: 'user', name: 'users', component: () => import('../views/users/users-page.vue'), meta: { title: 'access.pages.users', section: 'access' } },
  { path: 'role', name: 'roles', component: () => import('../views/roles/roles-page.vue'), meta: { title: 'access.pages.roles', section: 'access' } },
  { path: 'token', name: 'tokens', component: () => import('../views/tokens/tokens-page.vue'), meta: { title: 'access.pages.tokens', section: 'access' } },
  { path: 'rights', name: 'rights', component: () => import('../views/rights/rights-page.vue'), meta: { title: 'access.pages.rights', section: 'access' } },
  { path: 'audit', name: 'audit', component: () => import('../views/audit/audit-page.vue'), meta: { title: 'audit.title', section: 'access' } },
  { path: 'account', name: 'account', component: () => import('../views/account/account-page.vue'), meta: { title: 'access.account.title' } },
  { path: 'system', name: 'system', component: () => import('../views/system/system-page.vue'), meta: { title: 'shell.nav.system', section: 'system' } },
  { path: 'system/storage', name: 'system-storage', component: () => import('../views/storage/storage-page.vue'), meta: { title: 'system.tabs.storage', section: 'system' } },
  { path: 'system/transfer', name: 'system-transfer', component: () => import('../views/transfer/transfer-page.vue'), meta: { title: 'system.tabs.transfer', section: 'system' } },
  { path: ':rest(.*)*', name: 'not-found', component: () => import('../views/not-found/not-found-page.vue'), meta: { title: 'shell.notFound.title' } },
]

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/login', name: 'login', component: () => import('../views/login/login-page.vue'), meta: { isPublic: true, title: 'shell.login.title' } },
    { path: '/password', name: 'password', component: () => import('../views/password/password-page.vue'), meta: { title: 'shell.password.title' } },
    { path: '/', component: () => import('../components/shell/app-shell.vue'), children: pages },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.beforeEach(async (to) => {
  const session = useSession()
  if (to.meta.isPublic === true) return session.isSignedIn ? landing(to) : true
  if (session.isSignedIn) await session.loadGrants().catch(() => loadGrantsLater())
  if (!session.isSignedIn) return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  if (session.mustChangePassword && to.name !== 'password') return { name: 'password', query: { next: to.fullPath } }
  if (!session.knowsRights || typeof to.name !== 'string' || mayOpen(to.name, session.may)) return true
  return to.redirectedFrom?.path === '/' ? { name: firstPage(session.may) } : notThere(to)
})

/** What somebody may not see is not there: its address stays, the page says so. */
function notThere({ path, query, hash }: RouteLocationNormalized): RouteLocationRaw {
  return { name: 'not-found', params: { rest: path.slice(1).split('/') }, query, hash, replace: true }
}

const GRANTS_PAUSE_MS = 3_000

/** The server cannot be reached: the page says so itself, and gets what its user may do as soon as the server is back. */
function loadGrantsLater(): void {
  setTimeout(() => void useSession().loadGrants().catch(() => loadGrantsLater()), GRANTS_PAUSE_MS)
}

const RELOADED_AT = 'tickwheel.reloadedAt'
const RELOAD_PAUSE_MS = 10_000

// A new release has replaced the files that this page knows: load the page again, but never in a circle.
window.addEventListener('vite:preloadError', (event) => {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED_AT) ?? 0) < RELOAD_PAUSE_MS) return
  sessionStorage.setItem(RELOADED_AT, String(Date.now()))
  event.preventDefault()
  location.reload()
})

/** Where to go after signing in: what was asked for, if it is a path of this console. */
export function landing(from: RouteLocationNormalized): string {
  const next = from.query['next']
  return typeof next === 'string' && /^\/(?!\/|\\)/.test(next) ? next : '/'
}
