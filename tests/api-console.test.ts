import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLog, createServer, loadConfig } from '@tickwheel/server'
import { expect, it } from 'vitest'
import { tempDir } from './kit/temp-dir.ts'

it('the console: hashed files are kept for ever, its page is asked for each time and guarded, every other path leads to it', async () => {
  const consoleDir = tempDir()
  const dataDir = tempDir()
  mkdirSync(join(consoleDir, 'assets'))
  writeFileSync(join(consoleDir, 'index.html'), '<!doctype html><title>console</title>')
  writeFileSync(join(consoleDir, 'favicon.svg'), '<svg/>')
  writeFileSync(join(consoleDir, 'assets', 'app-1a2b.js'), 'export {}')
  const config = loadConfig({ cwd: dataDir, env: { TICKWHEEL_PORT: '0', TICKWHEEL_DATA_DIR: dataDir, TICKWHEEL_LOG_LEVEL: 'error' } })
  const server = createServer(config, createLog(config), { consoleDir })
  const { url } = await server.start()
  const get = async (path: string, accept = 'text/html,*/*'): Promise<Response> => fetch(url + path, { headers: { accept } })
  for (const path of ['/', '/index.html', '/task/5', '/login?next=%2Ftask']) {
    const page = await get(path)
    expect(await page.text(), path).toContain('<title>console</title>')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self';.*frame-ancestors 'none'/)
  }
  const asset = await get('/assets/app-1a2b.js', '*/*')
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(asset.headers.get('content-type')).toMatch(/javascript/)
  expect((await get('/favicon.svg', '*/*')).headers.get('cache-control')).toBe('no-cache')
  for (const path of ['/assets/gone.js', '/../package.json', '/%2e%2e/%2e%2e/package.json', '/api/v2/task'])
    expect((await get(path, '*/*')).status, path).toBe(404)
  expect((await get('/api/v1/nothing')).status).toBe(401)
  await server.stop()
})
