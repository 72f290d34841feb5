import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { describe } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const folders = ['/usr/bin', '/usr/local/bin', '/snap/bin']
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
/** A console of a test machine: no sandbox inside a container, and not a word to the net. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
]

/** The program file of a Chromium of this machine: CHROMIUM_PATH where it is set, else where systems put it; null when there is none. */
export function findChromium(): string | null {
  const given = process.env['CHROMIUM_PATH']
  const candidates = given === undefined || given === '' ? folders.flatMap((folder) => names.map((name) => join(folder, name))) : [given]
  return candidates.find((file) => existsSync(file)) ?? null
}

/** Starts Chromium without a window. Throws, with how to get one, when there is none. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error(`there is no Chromium: ${HOW_TO_GET_IT}`)
  return chromium.launch({ executablePath, args: flags })
}

const HOW_TO_GET_IT = '`apt-get install chromium`, or name one by CHROMIUM_PATH'

/** A `describe` for what needs a browser. Where there is none it says so in one line, and its tests are skipped. */
export function describeInBrowser(title: string, body: () => void): void {
  if (findChromium() !== null) {
    describe(title, body)
    return
  }
  process.stderr.write(`Not run, because there is no Chromium (${HOW_TO_GET_IT}): ${title}\n`)
  describe.skip(title, body)
}

/** Builds the console if it is missing or older than its sources, as `npm test` does; several at once build it once. */
export function buildConsole(): void {
  const program =
    "require('./scripts/bootstrap/stages.cjs').runStages(process.execPath, [require('./scripts/bootstrap/build.cjs').buildWeb])"
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the console could not be built:\n${stderr}`)
}

/** A page of the console in a browser of its own memory, and what it complained about. */
export interface ConsolePage extends AsyncDisposable {
  readonly page: Page
  /**
   * What went wrong since it was last asked, and forgets it: errors and warnings of the browser's console (a breach of the
   * Content-Security-Policy is one), exceptions, requests that failed or were answered by 4xx or 5xx, requests to another host.
   */
  complaints(): readonly string[]
  close(): Promise<void>
}

/** Opens a page. English and light unless `options` say otherwise; nothing is loaded yet. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<ConsolePage> {
  const context = await browser.newContext({
    baseURL: url,
    locale: 'en-US',
    colorScheme: 'light',
    viewport: { width: 1280, height: 800 },
    ...options,
  })
  const page = await context.newPage()
  const heard: string[] = []
  listen(page, url, (complaint) => heard.push(complaint))
  const close = async (): Promise<void> => context.close()
  return { page, complaints: () => heard.splice(0), close, [Symbol.asyncDispose]: close }
}

function listen(page: Page, url: string, complain: (text: string) => void): void {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complain(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complain(`exception: ${error.stack ?? error.message}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !/^(data|blob):/.test(request.url())) complain(`elsewhere: ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complain(`${String(response.status())}: ${response.request().method()} ${pathOf(response.url())}`)
  })
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'unknown'
    // leaving a page ends its calls in flight
    if (reason !== 'net::ERR_ABORTED') complain(`failed: ${request.method()} ${pathOf(request.url())} (${reason})`)
  })
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}

/** Signs in through the sign-in page, as a person would, and waits until it is left. */
export async function signInByHand(page: Page, username = 'admin', password = 'admin123'): Promise<void> {
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/login')
}
