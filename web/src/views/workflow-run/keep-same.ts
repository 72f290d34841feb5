import type { StepRun } from '@tickwheel/contract'

/** The steps of a newer answer; one in which nothing has changed stays the same object, so that its node is not drawn again. */
export function keepSame(known: readonly StepRun[], news: readonly StepRun[]): StepRun[] {
  const texts = new Map(known.map((step) => [step.key, step]))
  return news.map((step) => {
    const before = texts.get(step.key)
    return before !== undefined && JSON.stringify(before) === JSON.stringify(step) ? before : step
  })
}
