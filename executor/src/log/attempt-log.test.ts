import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AttemptLog, type LogChunk } from './attempt-log.ts'

interface Kept {
  readonly chunks: LogChunk[]
  hasRoom: boolean
}

function logOf(limitBytes: number, kept: Kept = { chunks: [], hasRoom: true }): { log: AttemptLog; kept: Kept } {
  const drain = {
    hasRoom: () => kept.hasRoom,
    send: (chunk: LogChunk) => {
      kept.chunks.push(chunk)
      return true
    },
    isCongested: () => false,
    relieved: () => Promise.resolve(),
  }
  return { log: new AttemptLog({ limitBytes, drain, now: () => 1000, flushAfterMs: () => 50 }), kept }
}

function textsOf(chunk: LogChunk): string[] {
  const lines: [number, number, number, string][] = JSON.parse(chunk.linesJson)
  return lines.map((line) => line[3])
}

/** Numbers must have neither holes nor overlaps, whatever happened. */
function expectGapless(chunks: readonly LogChunk[], lines: number): void {
  let next = 1
  for (const chunk of chunks) {
    expect(chunk.firstSeq).toBe(next)
    next += chunk.count
  }
  expect(next - 1).toBe(lines)
}

describe('the log of an attempt', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('sends lines 50 ms after the first of them', () => {
    const { log, kept } = logOf(1_000_000)
    log.write('stdout', 'info', 'a')
    log.write('stderr', 'error', 'b\nc')
    vi.advanceTimersByTime(49)
    expect(kept.chunks).toEqual([])
    vi.advanceTimersByTime(1)
    expect(kept.chunks).toEqual([{ firstSeq: 1, count: 3, dropped: 0, linesJson: '[[1000,0,1,"a"],[1000,1,3,"b"],[1000,1,3,"c"]]' }])
  })

  it('sends 500 lines, or 256 KiB, at once', async () => {
    const { log, kept } = logOf(100_000_000)
    for (let line = 0; line < 500; line += 1) log.line('stdout', 'info', 'x')
    for (let line = 0; line < 6; line += 1) log.line('stdout', 'info', 'y'.repeat(50_000))
    expect(kept.chunks.map((chunk) => chunk.count)).toEqual([500, 5])
    await log.end()
    expectGapless(kept.chunks, 506)
  })

  it('keeps chunks below the size of a message also when every character is escaped', async () => {
    const { log, kept } = logOf(100_000_000)
    for (let line = 0; line < 20; line += 1) log.line('stdout', 'info', '\0'.repeat(65_536))
    await log.end()
    expect(Math.max(...kept.chunks.map((chunk) => Buffer.byteLength(chunk.linesJson)))).toBeLessThan(500_000)
  })

  it('keeps head and tail of a log that is too long, marks the cut and numbers everything without a hole', async () => {
    const { log, kept } = logOf(4_000_000)
    const line = (each: number): string => `${String(each).padStart(8, '0')} ${'z'.repeat(91)}`
    for (let each = 1; each <= 100_000; each += 1) log.line('stdout', 'info', line(each))
    const totals = await log.end()
    const texts = kept.chunks.flatMap(textsOf)
    const drops = kept.chunks.filter((chunk) => chunk.dropped > 0)
    expect(totals).toEqual({ lines: 100_001, bytes: 10_000_000, dropped: drops[0]?.count })
    expect(drops).toHaveLength(1)
    expectGapless(kept.chunks, totals.lines)
    expect(texts[0]).toBe(line(1))
    expect(texts.at(-1)).toBe(line(100_000))
    const cut = texts.findIndex((text) => text.startsWith('The log has reached'))
    // three quarters of 4,000,000 bytes at 116 a line
    expect(cut).toBe(25_862)
    // at most one quarter, and no less than that but for one block
    const tail = texts.length - cut - 1
    expect(tail * 116).toBeLessThanOrEqual(1_000_000)
    expect(tail * 116).toBeGreaterThan(700_000)
  })

  it('drops nothing when the tail holds what the head could not', async () => {
    const { log, kept } = logOf(4000)
    for (let each = 0; each < 32; each += 1) log.line('stdout', 'info', 'z'.repeat(84))
    expect(await log.end()).toEqual({ lines: 33, bytes: 32 * 84, dropped: 0 })
    expect(kept.chunks.flatMap(textsOf)).toHaveLength(33)
  })

  it('gathers what finds no room into one mark', async () => {
    const { log, kept } = logOf(1_000_000)
    log.line('stdout', 'info', 'a')
    vi.advanceTimersByTime(50)
    kept.hasRoom = false
    for (let each = 0; each < 3; each += 1) {
      log.line('stdout', 'info', 'lost')
      vi.advanceTimersByTime(50)
    }
    kept.hasRoom = true
    log.line('stdout', 'info', 'b')
    expect(await log.end()).toEqual({ lines: 5, bytes: 14, dropped: 3 })
    expect(kept.chunks.map(({ firstSeq, count, dropped }) => ({ firstSeq, count, dropped }))).toEqual([
      { firstSeq: 1, count: 1, dropped: 0 },
      { firstSeq: 2, count: 3, dropped: 3 },
      { firstSeq: 5, count: 1, dropped: 0 },
    ])
  })

  it('takes nothing after its end', async () => {
    const { log } = logOf(1_000_000)
    await log.end()
    log.line('stdout', 'info', 'late')
    expect(await log.end()).toEqual({ lines: 0, bytes: 0, dropped: 0 })
  })
})
