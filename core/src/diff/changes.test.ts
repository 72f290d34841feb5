import { describe, expect, it } from 'vitest'
import { changesBetween } from './changes.ts'

describe('the fields in which two states differ', () => {
  it.each([
    ['nothing, whatever the order of fields', { a: 1, b: { c: [1, { x: 1, y: 2 }] } }, { b: { c: [1, { y: 2, x: 1 }] }, a: 1 }, []],
    ['a value', { a: 1 }, { a: 2 }, [{ path: 'a', before: 1, after: 2 }]],
    [
      'a value in an object',
      { retry: { max: 1, delayMs: 5 } },
      { retry: { max: 3, delayMs: 5 } },
      [{ path: 'retry.max', before: 1, after: 3 }],
    ],
    ['what is new and what is gone', { a: 1 }, { b: 2 }, [{ path: 'b', after: 2 }, { path: 'a', before: 1 }]], // prettier-ignore
    ['a list of values, as a whole', { tags: ['a'] }, { tags: ['a', 'b'] }, [{ path: 'tags', before: ['a'], after: ['a', 'b'] }]],
    ['an object that became a text', { a: { b: 1 } }, { a: 'b' }, [{ path: 'a', before: { b: 1 }, after: 'b' }]],
    [
      'a field of an entry that has a key, wherever it stands',
      { steps: [{ key: 'one', n: 1 }, { key: 'two', n: 2 }] }, // prettier-ignore
      { steps: [{ key: 'new', n: 0 }, { key: 'one', n: 1 }, { key: 'two', n: 3 }] }, // prettier-ignore
      [
        { path: 'steps[new]', after: { key: 'new', n: 0 } },
        { path: 'steps[two].n', before: 2, after: 3 },
      ],
    ],
    [
      'the order of entries, where nothing else differs',
      { steps: [{ key: 'one' }, { key: 'two' }] },
      { steps: [{ key: 'two' }, { key: 'one' }] },
      [{ path: 'steps', before: ['one', 'two'], after: ['two', 'one'] }],
    ],
    [
      'a list whole, where a key stands twice',
      { steps: [{ key: 'one' }] },
      { steps: [{ key: 'one' }, { key: 'one' }] },
      [{ path: 'steps', before: [{ key: 'one' }], after: [{ key: 'one' }, { key: 'one' }] }],
    ],
  ])('are told: %s', (_what, before, after, changes) => {
    expect(changesBetween(before, after)).toEqual(changes)
  })
})
