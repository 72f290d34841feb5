/**
 * First paint: the start page of somebody who has signed in, opened in headless Chromium with nothing cached, again and again. A real server with 200
 * tasks and their runs; every opening has a browser profile of its own, so that each byte comes from the server.
 *
 *   painted     first contentful paint, by the browser's own clock from the start of the navigation
 *   shown       the first frame that has the page's data in it (`START.shows`)
 *   busy        CPU time of the page's main thread until then, by Chromium's own account: what stays the same on a busy machine
 *   files, KiB  requests of an opening, and what they weighed on the wire
 *
 * BENCH_RUNS (default 40), BENCH_SLOWDOWN (how many times slower the browser's processor is made, default 1), BENCH_PATH and BENCH_SHOWS (another page).
 */
import type { Browser, BrowserContextOptions } from 'playwright-core'
import type { ApiClient } from '../tests/kit/api-client.ts'
import { buildConsole, launchBrowser, openPage, signInByHand } from '../tests/kit/browser.ts'
import { GENEROUS_BUDGETS, homeGroup, trigger } from '../tests/kit/runs.ts'
import { startServer } from '../tests/kit/server-process.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { formatTable, machine } from './report.ts'

/** Where somebody who has signed in begins, and what is there when its data are. */
const START = { path: '/', shows: '[data-figure]' }

const PATH = process.env.BENCH_PATH ?? START.path
const SHOWS = process.env.BENCH_SHOWS ?? START.shows
const RUNS = Number(process.env.BENCH_RUNS ?? 40)
const SLOWDOWN = Number(process.env.BENCH_SLOWDOWN ?? 1)
const TASKS = 200

interface Opening {
  readonly paintedMs: number
  readonly shownMs: number
  readonly busyMs: number
  readonly files: number
  readonly wireBytes: number
}

async function main(): Promise<void> {
  console.log(machine())
  if (process.env.BENCH_BUILT === undefined) buildConsole()
  const server = await startServer({ env: GENEROUS_BUDGETS })
  const browser = await launchBrowser()
  try {
    await fill(await server.signIn())
    const session = await signedIn(browser, server.url)
    const openings: Opening[] = []
    // the first opening warms the browser itself up
    for (let run = -1; run < RUNS; run += 1) {
      const opening = await open(browser, server.url, session)
      if (run >= 0) openings.push(opening)
    }
    report(openings)
  } finally {
    await browser.close()
    await server.close()
  }
}

async function fill(admin: ApiClient): Promise<void> {
  const groupId = await homeGroup(admin)
  const ids: number[] = []
  for (let index = 0; index < TASKS; index += 1) {
    const schedule = { kind: 'cron', expression: `${index % 60} ${(index * 7) % 24} * * *`, timezone: 'UTC' }
    const body = { groupId, name: `nightly settlement ${index}`, schedule, enabled: true, handler: { kind: 'shell', script: 'true' } }
    ids.push((await admin.post<{ id: number }>('/task', body)).id)
  }
  for (const id of ids) for (let run = 0; run < 3; run += 1) await trigger(admin, id)
  await waitFor(async () => (await admin.get<{ total: number }>('/instance?state=succeeded&pageSize=1')).total >= 3 * TASKS, {
    what: 'the end of every run',
    timeoutMs: 120_000,
  })
}

type Session = NonNullable<BrowserContextOptions['storageState']>

/** What a browser keeps of somebody who has signed in. */
async function signedIn(browser: Browser, url: string): Promise<Session> {
  await using opened = await openPage(browser, url)
  await opened.page.goto('/login')
  await signInByHand(opened.page)
  return await opened.page.context().storageState()
}

async function open(browser: Browser, url: string, storageState: Session): Promise<Opening> {
  await using opened = await openPage(browser, url, { storageState })
  const { page } = opened
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN })
  let files = 0
  let wireBytes = 0
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
    files += 1
    wireBytes += encodedDataLength
  })
  await page.addInitScript(watchFor(SHOWS))
  await page.goto(PATH)
  const shownMs = Number(await page.evaluate('shown'))
  const { metrics } = await devtools.send('Performance.getMetrics')
  const busyMs = 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN)
  const paintedMs = Number(await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime`))
  return { paintedMs, shownMs, busyMs, files, wireBytes }
}

/** A script for the page: `shown` becomes the time from the start of the navigation to the first frame with `selector` in it. */
function watchFor(selector: string): string {
  return `globalThis.shown = new Promise((tell) => {
    const look = () => {
      if (document.querySelector(${JSON.stringify(selector)}) === null) requestAnimationFrame(look)
      // the frame in which it stands is drawn after this callback
      else requestAnimationFrame(tell)
    }
    requestAnimationFrame(look)
  })`
}

function report(openings: readonly Opening[]): void {
  const columns = [
    { name: 'painted', unit: 'ms', of: ({ paintedMs }: Opening) => paintedMs },
    { name: 'shown', unit: 'ms', of: ({ shownMs }: Opening) => shownMs },
    { name: 'busy', unit: 'ms', of: ({ busyMs }: Opening) => busyMs },
    { name: 'files', unit: '', of: ({ files }: Opening) => files },
    { name: 'on the wire', unit: 'KiB', of: ({ wireBytes }: Opening) => wireBytes / 1024 },
  ]
  const rows = columns.map(({ name, unit, of }) => {
    const sorted = openings.map(of).toSorted((a, b) => a - b)
    return [
      name,
      ...[0, 0.5, 0.9, 0.99, 1].map(
        (share) => `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN)} ${unit}`,
      ),
    ]
  })
  console.log(`${openings.length} openings of ${PATH}, nothing cached, processor slowed ${SLOWDOWN} times`)
  console.log(formatTable(['', 'least', 'p50', 'p90', 'p99', 'most'], rows))
}

await main()
