import { describe, expect, it } from 'vitest'
import { LogCursor } from './log-cursor.ts'

const texts = (chunks: readonly { lines: readonly (readonly [number, number, number, string])[] }[]): string[] =>
  chunks.flatMap((chunk) => chunk.lines.map((line) => line[3]))

describe('the cursor in a log', () => {
  it('numbers lines as people see them while it counts those of the file', () => {
    const cursor = new LogCursor(1_000_000)
    expect(cursor.take({ toLine: 2, text: 'a\nb<br>c\n' }, 7)).toEqual([
      {
        firstSeq: 1,
        lines: [
          [7, 2, 1, 'a'],
          [7, 2, 1, 'b'],
          [7, 2, 1, 'c'],
        ],
      },
    ])
    expect(cursor.fromLine).toBe(3)
    expect(cursor.take({ toLine: 3, text: 'd\n' }, 8)).toMatchObject([{ firstSeq: 4 }])
    expect(cursor.end()).toMatchObject({ lines: 4, dropped: 0 })
  })

  it('passes over what is stored already when another node takes over', () => {
    const cursor = new LogCursor(1_000_000, 2)
    expect(cursor.take({ toLine: 1, text: 'a\n' }, 1)).toEqual([])
    expect(cursor.take({ toLine: 2, text: 'b<br>c\n' }, 1)).toMatchObject([{ firstSeq: 3 }])
    expect(cursor.end().lines).toBe(3)
  })

  it('says how many lines no longer fit, and reads no more', () => {
    const cursor = new LogCursor(10)
    const chunks = cursor.take({ toLine: 4, text: 'aaaa\nbbbb\ncccc\ndddd\n' }, 1)
    expect(texts(chunks)).toEqual(['aaaa', 'bbbb'])
    expect(chunks.at(-1)).toEqual({ firstSeq: 3, lines: [], dropped: 2 })
    expect(cursor.isFull).toBe(true)
    expect(cursor.end()).toEqual({ lines: 4, bytes: 10, dropped: 2 })
  })

  it('leaves a mark where the rest cannot be read', () => {
    const cursor = new LogCursor(1000, 0)
    cursor.take({ toLine: 1, text: 'a\n' }, 1)
    expect(cursor.giveUp()).toEqual({ firstSeq: 2, lines: [], dropped: 1 })
    expect(cursor.isFull).toBe(true)
    expect(cursor.end()).toMatchObject({ lines: 2, dropped: 1 })
  })

  it('loses no line of a client that counts from 0', () => {
    const file = ['a', 'b', 'c']
    // as npm xxl-job reads: lines whose index is not below the number that it was asked for
    const read = (from: number) => ({
      toLine: file.length,
      text: file
        .slice(from)
        .map((line) => `${line}\n`)
        .join(''),
    })
    const cursor = new LogCursor(1_000_000)
    const seen = texts([...cursor.take(read(cursor.fromLine), 1), ...cursor.take(read(cursor.fromLine), 1)])
    file.push('d', 'e')
    seen.push(...texts(cursor.take(read(cursor.fromLine), 1)))
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})
