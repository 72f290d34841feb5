import type { Component } from 'vue'
import { fit } from './fuzzy.ts'

/** In the order in which they are shown. */
export const SECTIONS = ['recent', 'pages', 'actions', 'task', 'workflow', 'run', 'workflowRun', 'executor', 'calendar', 'group', 'user'] as const
export type Section = (typeof SECTIONS)[number]

/** Something that one can choose: a place with an address, or something that is done at once. */
export interface Entry {
  /** unlike that of any other entry */
  readonly key: string
  readonly section: Section
  readonly title: string
  /** tells it from others with such a title; empty: nothing */
  readonly note: string
  /** is found by these as well, and they are not shown */
  readonly words?: readonly string[]
  readonly icon: Component
  readonly to?: string
  /** another page of this server, which opens beside this one */
  readonly href?: string
  readonly run?: () => void
}

/** An entry that fits, with the letters of its title that do. */
export interface Choice extends Entry {
  readonly at: readonly number[]
}

export interface ChoiceGroup {
  readonly section: Section
  readonly choices: readonly Choice[]
}

const PER_SECTION = 8

/** What fits among entries that are at hand, the best first; without a wish all of them as they stand. */
export function chosenFrom(entries: readonly Entry[], wanted: string): Choice[] {
  if (wanted.trim() === '') return entries.map((entry) => ({ ...entry, at: [] }))
  const fitting = entries.flatMap((entry) => scoreOf(entry, wanted) ?? [])
  return fitting.sort((one, other) => other.score - one.score).map(({ score: _score, ...choice }) => choice)
}

function scoreOf(entry: Entry, wanted: string): (Choice & { readonly score: number }) | null {
  const own = fit(entry.title, wanted)
  if (own !== null) return { ...entry, at: own.at, score: own.score }
  // found by another word for it, or with what stands beside it: behind what is called so
  const others = [...(entry.words ?? []), `${entry.title} ${entry.note}`].flatMap((text) => fit(text, wanted)?.score ?? [])
  return others.length === 0 ? null : { ...entry, at: [], score: Math.max(...others) / 2 }
}

/** By section, the sections in their order; of each at most 8 when something was asked for. */
export function grouped(choices: readonly Choice[], isAsked: boolean): ChoiceGroup[] {
  return SECTIONS.flatMap((section) => {
    const own = choices.filter((choice) => choice.section === section)
    return own.length === 0 ? [] : [{ section, choices: isAsked ? own.slice(0, PER_SECTION) : own }]
  })
}
