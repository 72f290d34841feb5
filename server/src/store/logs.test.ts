import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LineTuple } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { ATTEMPT_SEQ } from './log-page.ts'
import { FileLogs, type LogStore } from './logs.ts'
import { logsOf, memoryStore } from './store.fixture.ts'

const AT = Date.UTC(2026, 10, 22, 8)
const RUN = floorOfInstant(AT) + 7

function lines(...texts: string[]): LineTuple[] {
  return texts.map((text, index) => [AT + index, 0, 1, text])
}

describe('the log store', () => {
  let db: Database
  let store: LogStore
  beforeEach(async () => {
    db = await memoryStore()
    store = logsOf(db)
  })
  afterEach(async () => {
    store.close()
    await db.close()
  })

  const read = async (after = 0, limit = 1000, ended = false) => store.read(RUN, { after, limit, ended })
  const texts = async (after = 0, limit = 1000, ended = false) => (await read(after, limit, ended)).lines.map((line) => line.text)

  it('gives lines back as they came, numbered within their attempt', async () => {
    await store.append([
      {
        instanceId: RUN,
        attempt: 1,
        firstSeq: 1,
        lines: [
          [AT, 0, 1, 'plain'],
          [AT + 5, 1, 3, `hostile '"; DROP TABLE log_chunk; -- 🎉\u0000`],
        ],
      },
    ])
    expect((await read()).lines).toEqual([
      { seq: ATTEMPT_SEQ + 1, at: '2026-11-22T08:00:00.000Z', attempt: 1, stream: 'stdout', level: 'info', text: 'plain' },
      {
        seq: ATTEMPT_SEQ + 2,
        at: '2026-11-22T08:00:00.005Z',
        attempt: 1,
        stream: 'stderr',
        level: 'error',
        text: `hostile '"; DROP TABLE log_chunk; -- 🎉\u0000`,
      },
    ])
  })

  it('ignores a chunk that came before, and says which were new', async () => {
    const chunk = { instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('a', 'b') }
    expect(await store.append([chunk, { ...chunk, firstSeq: 3, lines: lines('c') }])).toEqual([true, true])
    expect(await store.append([{ ...chunk, firstSeq: 4, lines: lines('d') }, chunk])).toEqual([true, false])
    expect(await texts()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('pages through chunks and attempts without a gap and without a repeat, whatever the size of the page', async () => {
    await store.append([
      { instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('1.1', '1.2', '1.3') },
      { instanceId: RUN, attempt: 1, firstSeq: 4, lines: lines('1.4') },
      { instanceId: RUN, attempt: 2, firstSeq: 1, lines: lines('2.1', '2.2') },
      { instanceId: RUN, attempt: 3, firstSeq: 1, lines: lines('3.1') },
      { instanceId: RUN + 1, attempt: 1, firstSeq: 1, lines: lines('another run') },
    ])
    for (let limit = 1; limit <= 8; limit += 1) {
      const seen: string[] = []
      let after = 0
      for (let page = await read(after, limit); page.lines.length > 0; page = await read(after, limit)) {
        seen.push(...page.lines.map((line) => line.text))
        after = page.next
      }
      expect(seen, `limit ${limit}`).toEqual(['1.1', '1.2', '1.3', '1.4', '2.1', '2.2', '3.1'])
    }
  })

  it('tells dropped lines by one line of its own, and reads on behind it', async () => {
    await store.append([
      { instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('head') },
      { instanceId: RUN, attempt: 1, firstSeq: 2, lines: [], dropped: 41 },
      { instanceId: RUN, attempt: 1, firstSeq: 43, lines: lines('tail') },
    ])
    const page = await read()
    expect(page.lines.map((line) => [line.seq - ATTEMPT_SEQ, line.stream])).toEqual([
      [1, 'stdout'],
      [42, 'system'],
      [43, 'stdout'],
    ])
    expect(page.lines[1]?.text).toContain('41 lines')
    expect(await texts(ATTEMPT_SEQ + 42)).toEqual(['tail'])
  })

  it('waits at a missing line while the run goes on, and names it when the run has ended', async () => {
    await store.append([
      { instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('a') },
      { instanceId: RUN, attempt: 1, firstSeq: 4, lines: lines('d') },
    ])
    expect(await texts()).toEqual(['a'])
    expect(await texts(0, 1000, true)).toEqual(['a', '… 2 lines did not arrive …', 'd'])
    await store.append([{ instanceId: RUN, attempt: 1, firstSeq: 2, lines: lines('b', 'c') }])
    expect(await texts()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('passes over what an earlier attempt never sent', async () => {
    await store.append([
      { instanceId: RUN, attempt: 1, firstSeq: 3, lines: lines('c') },
      { instanceId: RUN, attempt: 2, firstSeq: 1, lines: lines('again') },
    ])
    expect(await texts()).toEqual(['… 2 lines did not arrive …', 'c', 'again'])
  })

  it.each([
    { why: 'the run goes on', ended: false, end: null, limit: 10, expected: false },
    { why: 'the run has ended and all lines are here', ended: true, end: 2, limit: 10, expected: true },
    { why: 'announced lines are still on their way', ended: true, end: 3, limit: 10, expected: false },
    { why: 'the executor was lost and announces nothing', ended: true, end: null, limit: 10, expected: true },
    { why: 'more lines follow', ended: true, end: 2, limit: 1, expected: false },
  ])('says whether the log ends here: $why', async ({ ended, end, limit, expected }) => {
    await store.append([{ instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('a', 'b') }])
    if (end !== null) await store.append([], [{ instanceId: RUN, attempt: 1, lines: end, bytes: 2, dropped: 0 }])
    expect((await read(0, limit, ended)).end).toBe(expected)
  })

  it('ends at once for a run that wrote nothing', async () => {
    await store.append([], [{ instanceId: RUN, attempt: 1, lines: 0, bytes: 0, dropped: 0 }])
    expect(await read(0, 10, true)).toEqual({ lines: [], next: 0, end: true })
    expect(await store.read(RUN + 99, { after: 0, limit: 10, ended: true })).toEqual({ lines: [], next: 0, end: true })
  })

  it('bounds a page by bytes as well as by lines', async () => {
    const long = 'x'.repeat(65_536)
    for (let seq = 1; seq <= 81; seq += 4)
      await store.append([{ instanceId: RUN, attempt: 1, firstSeq: seq, lines: lines(long, long, long, long) }])
    const page = await read(0, 5000)
    expect(page.lines.length).toBeLessThan(40)
    expect((await read(page.next, 5000)).lines[0]?.seq).toBe(page.next + 1)
  })

  it('streams the whole log as text and tells attempts apart', async () => {
    await store.append([
      { instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('one') },
      { instanceId: RUN, attempt: 2, firstSeq: 1, lines: lines('two') },
    ])
    const pieces: string[] = []
    for await (const piece of store.stream(RUN)) pieces.push(piece)
    expect(pieces.join('')).toBe('2026-11-22T08:00:00.000Z stdout one\n--- attempt 2 ---\n2026-11-22T08:00:00.000Z stdout two\n')
  })

  it('prunes by id', async () => {
    await store.append([
      { instanceId: RUN, attempt: 1, firstSeq: 1, lines: lines('old') },
      { instanceId: RUN + 1, attempt: 1, firstSeq: 1, lines: lines('new') },
    ])
    expect(await store.prune(RUN + 1)).toBe(false)
    expect(await texts()).toEqual([])
    expect((await store.read(RUN + 1, { after: 0, limit: 9, ended: true })).lines).toHaveLength(1)
  })
})

describe('the files of the log store', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwheel-logs-'))
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  it('keep a month each, survive a restart, and go as a whole when they are old', async () => {
    const ids = [3, 4, 5, 6, 7, 8, 9].map((month) => floorOfInstant(Date.UTC(2026, month, 15)) + 1)
    const store = new FileLogs({ directory })
    await store.append(
      ids.map((instanceId) => ({ instanceId, attempt: 1, firstSeq: 1, lines: lines(`of ${instanceId}`, 'x'.repeat(5000)) })),
    )
    store.close()
    const again = new FileLogs({ directory })
    for (const id of ids) expect((await again.read(id, { after: 0, limit: 9, ended: true })).lines[0]?.text).toBe(`of ${id}`)
    expect(await again.prune(floorOfInstant(Date.UTC(2026, 6, 20)))).toBe(false)
    expect(readdirSync(directory).filter((name) => name.endsWith('.db'))).toEqual([
      'logs-2026-07.db',
      'logs-2026-08.db',
      'logs-2026-09.db',
      'logs-2026-10.db',
    ])
    expect((await again.read(ids[3] ?? 0, { after: 0, limit: 9, ended: true })).lines).toEqual([])
    await again.read(ids[0] ?? 0, { after: 0, limit: 9, ended: true })
    expect(existsSync(join(directory, 'logs-2026-04.db'))).toBe(false)
    again.close()
  })
})
