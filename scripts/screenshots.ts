/**
 * Photographs every page of the console in both languages and both themes: `npm run screenshots [WORD …]` (pictures whose name holds a word). The demo's
 * month is played in a folder of its own first; the pictures go to screenshots/, named PAGE.LANGUAGE.THEME.png. Ends after 15 minutes at the latest. Exits 1
 * when a route of the console has no picture, or one could not be taken.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createLog, createServer } from '@tickwheel/server'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { buildConsole, launchBrowser, openPage, signInByHand, type ConsolePage } from '../tests/kit/browser.ts'
import { consoleRoutes } from '../tests/kit/console-routes.ts'
import { freePort } from '../tests/kit/free-port.ts'
import { GENEROUS_BUDGETS } from '../tests/kit/runs.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { PASSWORD } from './demo/company.ts'
import { playPast } from './demo/past.ts'
import { demoConfig, Present } from './demo/present.ts'
import { routesWithoutShot, SHOTS, World, type Shot } from './shots.ts'

const LOOKS = [
  { locale: 'en', theme: 'light' },
  { locale: 'en', theme: 'dark' },
  { locale: 'zh', theme: 'light' },
  { locale: 'zh', theme: 'dark' },
] as const
type Look = (typeof LOOKS)[number]

const DAYS = 30
const LONGEST_MS = 900_000
const STEP_MS = 10_000
const ADMIN = 'chen.jing'
const folder = join(import.meta.dirname, '..', 'screenshots')
const words = process.argv.slice(2)

async function main(): Promise<number> {
  const wanted = SHOTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
  clear()
  buildConsole()
  const dataDir = makeDir()
  try {
    const config = demoConfig(dataDir, await freePort(), GENEROUS_BUDGETS)
    await playPast({ config, url: `http://127.0.0.1:${String(config.port)}`, days: DAYS })
    await using present = await Present.begin(config)
    await using empty = await emptyServer(join(dataDir, 'empty'))
    const world = new World(await present.signIn(ADMIN))
    const browser = await launchBrowser()
    try {
      const photographer = new Photographer({ browser, url: present.url, emptyUrl: empty.url, world })
      await Promise.all(LOOKS.map((look) => photographer.takeAll(wanted, look)))
      process.stdout.write(`${String(photographer.taken)} pictures in ${folder}, ${String(photographer.failures)} could not be taken\n`)
      return photographer.failures
    } finally {
      await browser.close()
    }
  } finally {
    removeDir(dataDir)
  }
}

/** A part of the pictures replaces its own only. */
function clear(): void {
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder))
    if (words.length === 0 || words.some((word) => file.includes(word))) rmSync(join(folder, file), { recursive: true })
}

async function emptyServer(dataDir: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const config = demoConfig(dataDir, await freePort(), GENEROUS_BUDGETS)
  const server = createServer(config, createLog(config))
  const { url } = await server.start()
  return { url, [Symbol.asyncDispose]: () => server.stop() }
}

interface Camera {
  readonly browser: Browser
  readonly url: string
  readonly emptyUrl: string
  readonly world: World
}

class Photographer {
  taken = 0
  failures = 0
  readonly #camera: Camera

  constructor(camera: Camera) {
    this.#camera = camera
  }

  async takeAll(shots: readonly Shot[], look: Look): Promise<void> {
    const bySetting = Map.groupBy(shots, ({ isPhone = false, as = ADMIN, isEmpty = false }) => JSON.stringify([isPhone, as, isEmpty]))
    for (const some of bySetting.values()) await this.#takeSome(some, look)
  }

  /** Pictures that one person takes in one window. */
  async #takeSome(shots: readonly Shot[], look: Look): Promise<void> {
    const { browser, url, emptyUrl } = this.#camera
    const { isPhone = false, as = ADMIN, isEmpty = false } = shots[0] ?? {}
    await using opened = await openPage(browser, isEmpty ? emptyUrl : url, lookOf(look, isPhone))
    opened.page.setDefaultTimeout(STEP_MS)
    if (as !== null) {
      await opened.page.goto('/login')
      await signInByHand(opened.page, isEmpty ? 'admin' : as, PASSWORD)
    }
    await opened.page.addInitScript(
      `localStorage.setItem('tickwheel.locale', '${look.locale}'); localStorage.setItem('tickwheel.theme', '${look.theme}')`,
    )
    for (const shot of shots) await this.#take(shot, look, opened)
  }

  async #take(shot: Shot, look: Look, opened: ConsolePage): Promise<void> {
    const { page } = opened
    const name = `${shot.name}.${look.locale}.${look.theme}`
    try {
      await page.goto(typeof shot.path === 'string' ? shot.path : await shot.path(this.#camera.world))
      await settle(page)
      for (const click of shot.clicks ?? []) {
        await page.locator(`${click}:visible`).first().click()
        await settle(page)
      }
      if (shot.shows !== undefined) await page.locator(shot.shows).first().waitFor()
      await settle(page)
      await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
      this.taken += 1
    } catch (error) {
      this.failures += 1
      process.stdout.write(`${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}\n`)
    }
    for (const complaint of opened.complaints()) process.stdout.write(`${name}: ${complaint}\n`)
  }
}

function lookOf(look: Look, isPhone: boolean): BrowserContextOptions {
  const viewport = isPhone ? { width: 390, height: 844 } : { width: 1280, height: 800 }
  return { viewport, colorScheme: look.theme, timezoneId: 'Asia/Shanghai', deviceScaleFactor: 1 }
}

/** Until what the page asked for has come. A picture itself ends what moves. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
  await page.waitForLoadState('networkidle', { timeout: 1_500 }).catch(() => null)
  await page
    .locator('.el-skeleton, .el-loading-mask, [class*="-enter-active"]')
    .first()
    .waitFor({ state: 'detached', timeout: 3_000 })
    .catch(() => null)
}

const missing = routesWithoutShot(consoleRoutes())
if (missing.length > 0) process.stderr.write(`no picture of these routes (scripts/shots.ts): ${missing.join(', ')}\n`)
const bell = setTimeout(() => {
  process.stderr.write(`not done after ${String(LONGEST_MS / 60_000)} minutes: given up\n`)
  process.exit(1)
}, LONGEST_MS)
const failures = await main()
clearTimeout(bell)
process.exitCode = missing.length + failures > 0 ? 1 : 0
