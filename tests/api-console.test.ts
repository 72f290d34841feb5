import { mkdirSync, writeFileSync } from 'node:fs'
import { get as getRaw, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
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

it('the console: what the build has compressed is sent as it is, to who takes it', async () => {
  const consoleDir = tempDir()
  const dataDir = tempDir()
  mkdirSync(join(consoleDir, 'assets'))
  const page = '<!doctype html><title>console</title>'
  const script = 'export const words = []'
  for (const [name, text] of [
    ['index.html', page],
    ['assets/app-1a2b.js', script],
  ] as const) {
    writeFileSync(join(consoleDir, name), text)
    writeFileSync(join(consoleDir, `${name}.br`), brotliCompressSync(text))
    writeFileSync(join(consoleDir, `${name}.gz`), gzipSync(text))
  }
  writeFileSync(join(consoleDir, 'assets', 'small-3c4d.js'), script)
  const config = loadConfig({ cwd: dataDir, env: { TICKWHEEL_PORT: '0', TICKWHEEL_DATA_DIR: dataDir, TICKWHEEL_LOG_LEVEL: 'error' } })
  const server = createServer(config, createLog(config), { consoleDir })
  const { url } = await server.start()
  // `fetch` would unpack
  const headersOf = async (path: string, takes: string): Promise<IncomingHttpHeaders> =>
    new Promise((resolve, reject) => {
      getRaw(url + path, { headers: { 'accept-encoding': takes, accept: 'text/html,*/*' } }, (response) => {
        response.resume()
        resolve(response.headers)
      }).on('error', reject)
    })
  for (const [path, cache, type] of [
    ['/', 'no-cache', /^text\/html/],
    ['/task/5', 'no-cache', /^text\/html/],
    ['/assets/app-1a2b.js', 'public, max-age=31536000, immutable', /javascript/],
  ] as const) {
    for (const [takes, encoding] of [
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip', 'gzip'],
      ['identity', undefined],
    ] as const) {
      const headers = await headersOf(path, takes)
      expect([path, takes, headers['content-encoding']]).toEqual([path, takes, encoding])
      expect(headers).toMatchObject({ 'cache-control': cache, vary: expect.stringMatching(/accept-encoding/i) })
      expect(headers['content-type']).toMatch(type)
    }
  }
  expect((await headersOf('/assets/small-3c4d.js', 'br'))['content-encoding']).toBeUndefined()
  expect(await (await fetch(`${url}/assets/app-1a2b.js`)).text()).toBe(script)
  expect(await (await fetch(`${url}/task/5`, { headers: { accept: 'text/html' } })).text()).toBe(page)
  await server.stop()
})
