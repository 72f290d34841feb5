import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { ApiClient } from './api-client.ts'
import { buildConsole, describeInBrowser, launchBrowser, openPage, signInByHand, type ConsolePage } from './browser.ts'
import { GENEROUS_BUDGETS } from './runs.ts'
import { startServer, type ServerProcess } from './server-process.ts'
import { makeDir, removeDir } from './temp-dir.ts'

export interface ConsoleSetting {
  /** where a person goes first, signing in on the way; default: the list of tasks */
  readonly path?: string
  /** beside budgets that no test meets */
  readonly env?: Readonly<Record<string, string>>
}

/** What a test of the console has: a server and a browser of the whole `describe`, and a page of its own that has signed in as the first account. */
export interface ConsoleTest {
  readonly server: ServerProcess
  readonly admin: ApiClient
  readonly browser: Browser
  readonly page: Page
  /** what the page complained about: see `openPage` */
  readonly complaints: () => readonly string[]
  /** The server is back on its port and its data, after it was killed. */
  readonly restart: () => Promise<void>
}

/** A `describe` of tests in a browser, on one server. Of a test that fails a picture is left in `screenshots/`. Skipped where there is no browser. */
export function describeConsole(title: string, { path = '/task', env = {} }: ConsoleSetting, body: (test: ConsoleTest) => void): void {
  describeInBrowser(title, () => {
    const dataDir = makeDir()
    const settings = { ...GENEROUS_BUDGETS, ...env }
    let server: ServerProcess
    let admin: ApiClient
    let browser: Browser
    let opened: ConsolePage | null = null
    const ofThisTest = (): ConsolePage => {
      if (opened === null) throw new Error('a page is there within a test only')
      return opened
    }

    beforeAll(async () => {
      buildConsole()
      server = await startServer({ dataDir, env: settings })
      admin = await server.signIn()
      browser = await launchBrowser()
    })
    afterAll(async () => {
      await browser.close()
      await server.close()
      removeDir(dataDir)
    })
    beforeEach(async ({ onTestFailed }) => {
      // not at the end of its test: a picture may be taken then
      await opened?.close()
      const own = await openPage(browser, server.url)
      opened = own
      onTestFailed(({ task }) => takePicture(own.page, task.id))
      await own.page.goto(`/login?next=${encodeURIComponent(path)}`)
      await signInByHand(own.page)
    })

    body({
      get server() {
        return server
      },
      get admin() {
        return admin
      },
      get browser() {
        return browser
      },
      get page() {
        return ofThisTest().page
      },
      complaints: () => ofThisTest().complaints(),
      restart: async () => {
        server = await startServer({ dataDir, port: server.port, env: settings })
      },
    })
  })
}

async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(import.meta.dirname, '..', '..', 'screenshots', `failed-${name}.png`) })
}
