/**
 * Log viewer: the page of a run that has printed a million lines, in headless Chromium. When all lines are there, somebody scrolls: steadily with a wheel,
 * fast, by pages, and by dragging the bar to far places. Every frame is timed by the page itself; a frame that takes longer than 16.7 ms was missed by
 * a screen of 60 Hz.
 *
 *   frames       how many there were, and how long they took: median, 95th and 99th of a hundred, longest
 *   missed       frames of more than 16.7 ms and of more than 33.4 ms (two missed in a row), as shares
 *   busy         CPU time of the page's main thread in each frame, by Chromium's own account: what is left of the 16.7 ms is room
 *   rows         drawn at once, at most: the list is virtual
 *   memory       of the page's heap, before and after
 *
 * BENCH_LINES (default 1,000,000), BENCH_SECONDS (of each way of scrolling, default 5).
 */
import type { CDPSession, Page } from 'playwright-core'
import { Program } from '../tests/kit/program.ts'
import { buildConsole, launchBrowser, openPage, signInByHand } from '../tests/kit/browser.ts'
import { GENEROUS_BUDGETS, ended, executorToken } from '../tests/kit/runs.ts'
import { startServer } from '../tests/kit/server-process.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { formatTable, machine } from './report.ts'

const LINES = Number(process.env.BENCH_LINES ?? 1_000_000)
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5)
const FRAME_MS = 1000 / 60

/** Ways of scrolling: what is done in a frame, `top` being where it stands and `end` how far it goes. */
const WAYS: readonly { readonly name: string; readonly step: string }[] = [
  { name: 'wheel, 12 rows a frame', step: 'top + 240' },
  { name: 'fast, 4 screens a frame', step: 'top + 4 * scroller.clientHeight' },
  { name: 'back, a screen a frame', step: 'top - scroller.clientHeight' },
  { name: 'bar, far places', step: 'frame % 20 === 0 ? (frame * 7919 * 20) % end : top + 20' },
]

interface Scrolled {
  readonly frameMs: readonly number[]
  readonly mostRows: number
  readonly taskMs: number
}

async function main(): Promise<void> {
  console.log(machine())
  buildConsole()
  const server = await startServer({
    command: 'server',
    env: { ...GENEROUS_BUDGETS, TICKWHEEL_LOG_LEVEL: 'warn', TICKWHEEL_LOG_MAX_BYTES: String(2 ** 30) },
  })
  const spool = makeDir()
  const browser = await launchBrowser()
  try {
    const admin = await server.signIn()
    const env = { BENCH_SERVER: server.url, BENCH_TOKEN: await executorToken(admin), BENCH_SPOOL: spool, BENCH_NAME: 'bench' }
    const executor = new Program({ file: 'bench/log-executor.fixture.ts', env })
    await executor.printed(/joined/)
    const task = await admin.post<{ id: number }>('/task', {
      groupId: 1,
      name: 'chatter',
      schedule: { kind: 'manual' },
      handler: { kind: 'named', name: 'print' },
    })
    const params = JSON.stringify({ perSecond: 50_000, total: LINES, untilMs: Date.now() + 600_000, secrets: [] })
    const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, { params })
    await ended(admin, instanceId, { timeoutMs: 600_000, everyMs: 500 })
    await using opened = await openPage(browser, server.url)
    await opened.page.goto(`/login?next=${encodeURIComponent(`/run/${instanceId}`)}`)
    await signInByHand(opened.page)
    await measure(opened.page)
    await executor.stop()
  } finally {
    await browser.close()
    await server.close()
    removeDir(spool)
  }
}

async function measure(page: Page): Promise<void> {
  const beganAt = performance.now()
  await page.getByText(`${LINES.toLocaleString('en-US')} lines`, { exact: true }).waitFor({ timeout: 300_000 })
  console.log(`${LINES.toLocaleString('en-US')} lines were in the page after ${((performance.now() - beganAt) / 1000).toFixed(1)} s`)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const before = await heapMb(devtools)
  const rows: string[][] = []
  for (const { name, step } of WAYS) rows.push(rowOf(name, await scroll(page, devtools, step)))
  console.log(formatTable(['', 'frames', 'p50', 'p95', 'p99', 'longest', '> 16.7 ms', '> 33.4 ms', 'busy', 'rows'], rows))
  console.log(`heap of the page: ${before} MB before scrolling, ${await heapMb(devtools)} MB after`)
}

async function scroll(page: Page, devtools: CDPSession, step: string): Promise<Scrolled> {
  const before = await metric(devtools, 'TaskDuration')
  const told = await page.evaluate<{ frameMs: number[]; mostRows: number }>(`new Promise((tell) => {
    const scroller = document.querySelector('.log-view .scroller')
    const frameMs = []
    let [mostRows, frame, began, last] = [0, 0, 0, 0]
    const next = (at) => {
      if (last > 0) frameMs.push(at - last)
      else began = at
      last = at
      frame += 1
      if (frame % 10 === 0) mostRows = Math.max(mostRows, scroller.querySelectorAll('.log-row').length)
      const [top, end] = [scroller.scrollTop, scroller.scrollHeight - scroller.clientHeight]
      const to = ${step}
      scroller.scrollTop = to > end ? 0 : to < 0 ? end : to
      if (at - began < ${SECONDS * 1000}) requestAnimationFrame(next)
      else tell({ frameMs, mostRows })
    }
    requestAnimationFrame(next)
  })`)
  return { ...told, taskMs: ((await metric(devtools, 'TaskDuration')) - before) * 1000 }
}

async function metric(devtools: CDPSession, wanted: string): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === wanted)?.value ?? NaN
}

async function heapMb(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage')
  return Math.round((await metric(devtools, 'JSHeapUsedSize')) / 2 ** 20)
}

function rowOf(name: string, { frameMs, mostRows, taskMs }: Scrolled): string[] {
  const sorted = frameMs.toSorted((a, b) => a - b)
  const at = (share: number): string => `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(1)} ms`
  // the clock of the screen is rounded: a frame in time is told as 16.6 or 16.8
  const above = (frames: number): string =>
    `${((100 * sorted.filter((ms) => ms > frames * FRAME_MS + 0.5).length) / sorted.length).toFixed(1)}%`
  return [
    name,
    String(sorted.length),
    at(0.5),
    at(0.95),
    at(0.99),
    at(1),
    above(1),
    above(2),
    `${(taskMs / sorted.length).toFixed(1)} ms`,
    String(mostRows),
  ]
}

await main()
