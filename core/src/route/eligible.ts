import type { Candidate } from './candidate.ts'

/** Who may be asked at all, or why nobody: none alive, none with the labels, or all of those full. */
export type Eligible =
  | { readonly kind: 'some'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'none'; readonly reason: 'noExecutor' | 'labelsNotMet' | 'capacityFull'; readonly among: number }

/** Keeps the live executors that carry all `labels` and have room. `among` counts those that failed the test named by the reason. */
export function eligible(alive: readonly Candidate[], labels: Readonly<Record<string, string>>): Eligible {
  if (alive.length === 0) return { kind: 'none', reason: 'noExecutor', among: 0 }
  const wanted = Object.entries(labels)
  const labelled = alive.filter((candidate) => wanted.every(([name, value]) => candidate.labels[name] === value))
  if (labelled.length === 0) return { kind: 'none', reason: 'labelsNotMet', among: alive.length }
  const candidates = labelled.filter((candidate) => candidate.running < candidate.capacity)
  return candidates.length === 0 ? { kind: 'none', reason: 'capacityFull', among: labelled.length } : { kind: 'some', candidates }
}
