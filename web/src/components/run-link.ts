import { inject, provide, type InjectionKey } from 'vue'
import type { RouteLocationRaw } from 'vue-router'

export type RunLink = (id: number) => RouteLocationRaw

const LINK: InjectionKey<RunLink> = Symbol('run link')

/** Where a run that is named in a sentence or shown as a bar leads: to a run of a task, unless a page around it says that its runs are those of workflows. */
export function useRunLink(): RunLink {
  return inject(LINK, (id) => ({ name: 'run', params: { id } }))
}

export function workflowRunLink(id: number): RouteLocationRaw {
  return `/workflow-run/${id}`
}

/** Runs on this page, and in everything on it, are runs of workflows. */
export function provideWorkflowRuns(): void {
  provide(LINK, workflowRunLink)
}
