/** What somebody looked at last in this browser: for the command palette. Kept for each user, and forgotten when they sign out. */

export const VISITED_PAGES = ['task', 'workflow', 'run', 'workflow-run'] as const
export type VisitedPage = (typeof VISITED_PAGES)[number]

export interface Visit {
  readonly page: VisitedPage
  readonly path: string
  readonly name: string
}

const KEY = 'tickwheel.recent.'
const KEPT = 12

/** The latest first; without what cannot be read. */
export function visitsOf(userId: number): readonly Visit[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY + String(userId)) ?? '[]')
    return Array.isArray(value) ? value.filter(isVisit).slice(0, KEPT) : []
  } catch {
    return []
  }
}

export function rememberVisit(userId: number, visit: Visit): void {
  const others = visitsOf(userId).filter(({ path }) => path !== visit.path)
  localStorage.setItem(KEY + String(userId), JSON.stringify([visit, ...others].slice(0, KEPT)))
}

export function forgetVisits(userId: number): void {
  localStorage.removeItem(KEY + String(userId))
}

function isVisit(value: unknown): value is Visit {
  if (typeof value !== 'object' || value === null || !('page' in value) || !('path' in value) || !('name' in value)) return false
  return VISITED_PAGES.some((page) => page === value.page) && typeof value.path === 'string' && /^\/(?!\/|\\)/.test(value.path) && typeof value.name === 'string'
}
