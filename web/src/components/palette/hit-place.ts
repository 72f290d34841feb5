import { Calendar, Collection, Cpu, Finished, Share, Timer, User } from '@element-plus/icons-vue'
import type { SearchHit, SearchKind } from '@tickwheel/contract'
import type { Component } from 'vue'
import type { Choice } from './palette-entry.ts'
import { fit } from './fuzzy.ts'

interface Place {
  readonly icon: Component
  readonly to: (hit: SearchHit) => string
}

/** Where each kind of thing that the server finds is looked at. */
const PLACES: Readonly<Record<SearchKind, Place>> = {
  task: { icon: Timer, to: ({ id }) => `/task/${id}` },
  workflow: { icon: Share, to: ({ id }) => `/workflow/${id}` },
  run: { icon: Finished, to: ({ id }) => `/run/${id}` },
  workflowRun: { icon: Finished, to: ({ id }) => `/workflow-run/${id}` },
  executor: { icon: Cpu, to: ({ id }) => `/executor?executor=${id}` },
  calendar: { icon: Calendar, to: ({ id }) => `/calendar/${id}` },
  group: { icon: Collection, to: ({ name }) => `/group?q=${encodeURIComponent(name)}` },
  user: { icon: User, to: ({ name }) => `/user?q=${encodeURIComponent(name)}` },
}

/** What the server found, as it is shown. */
export function choiceOf(hit: SearchHit, wanted: string): Choice {
  const { icon, to } = PLACES[hit.kind]
  const isRun = hit.kind === 'run' || hit.kind === 'workflowRun'
  const title = isRun ? `${hit.name} #${hit.id}` : hit.name
  const note = [hit.groupName, hit.note].filter((part) => part !== null && part !== '').join(' · ')
  return { key: `${hit.kind} ${hit.id}`, section: hit.kind, title, note, icon, to: to(hit), at: fit(title, wanted)?.at ?? [] }
}
