import { expect, it } from 'vitest'
import { keepSame } from './keep-same.ts'
import { runOf } from './workflow-run.fixture.ts'

it('keeps the objects of steps in which nothing has changed', () => {
  const known = runOf({ a: { from: 0, to: 1 }, b: { from: 1 } }).stepRuns
  const news = structuredClone(runOf({ a: { from: 0, to: 1 }, b: { from: 1, to: 2 } }).stepRuns)
  const kept = keepSame(known, news)
  expect(kept[0]).toBe(known[0])
  expect(kept[1]).toBe(news[1])
})
