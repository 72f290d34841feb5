/**
 * Photographs pages of a running console, in both languages and both themes:
 *   npx tsx web/dev/shoot.ts http://localhost:3100 OUT_FOLDER [/task /group …]
 * Signs in as the first account.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const [base = 'http://localhost:3000', folder = 'screenshots', ...given] = process.argv.slice(2)
const paths = given.length > 0 ? given : ['/login', '/task', '/task/new', '/run', '/executor', '/group', '/system']
const only = process.env['SHOOT_ONLY']?.split(',')
const looks = [
  { locale: 'en', theme: 'light' },
  { locale: 'en', theme: 'dark' },
  { locale: 'zh', theme: 'light' },
  { locale: 'zh', theme: 'dark' },
].filter((look) => only === undefined || only.includes(`${look.locale}-${look.theme}`))
const width = Number(process.env['SHOOT_WIDTH'] ?? 1280)
const height = Number(process.env['SHOOT_HEIGHT'] ?? 800)

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic'],
})
for (const look of looks) await shoot(browser, look)
await browser.close()

async function shoot(opened: Browser, look: { locale: string; theme: string }): Promise<void> {
  const page = await opened.newPage({ viewport: { width, height }, timezoneId: 'Asia/Shanghai', locale: look.locale === 'zh' ? 'zh-CN' : 'en-US' })
  page.on('console', (message) => (message.type() === 'error' || message.type() === 'warning') && console.log(`${look.locale} ${page.url()}: ${message.text().slice(0, 300)}`))
  page.on('pageerror', (error) => console.log(`${look.locale} ${page.url()}: ${error.message}`))
  await page.addInitScript(([locale, theme]) => {
    localStorage.setItem('tickwheel.locale', locale ?? '')
    localStorage.setItem('tickwheel.theme', theme ?? '')
  }, [look.locale, look.theme])
  let isSignedIn = false
  for (const path of paths) {
    if (path !== '/login' && !isSignedIn) {
      await page.goto(`${base}/login`)
      await page.fill('#username', 'admin')
      await page.fill('#password', process.env['SHOOT_PASSWORD'] ?? 'admin123')
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => !url.pathname.startsWith('/login'))
      isSignedIn = true
    }
    const [address = '/', ...clicks] = path.split('>')
    await page.goto(base + address)
    // a busy machine takes its time to load the modules of a page
    await page.waitForLoadState('networkidle', { timeout: 20_000 }).catch(() => null)
    await page.waitForTimeout(900)
    for (const click of clicks) {
      await page.locator(click).first().click()
      await page.waitForTimeout(700)
    }
    const name = `${path.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '').slice(0, 60) || 'home'}.${look.locale}.${look.theme}.png`
    await page.screenshot({ path: join(folder, name) })
  }
  await page.close()
}
