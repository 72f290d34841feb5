import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The secret of this installation: the configured one, else the one in the data folder, made at the first start and readable by its owner only. */
export function loadSecret(dataDir: string, configured: string): string {
  return configured !== '' ? configured : keepFile(join(dataDir, 'secret.key'), () => randomBytes(48).toString('base64url'))
}

/** The text of a file of mode 0600; made by `make` when it does not exist, or holds nothing. A file of this name is always whole, whenever the process is killed. */
export function keepFile(path: string, make: () => string): string {
  const found = readKept(path)
  if (found !== null) return found
  const text = make()
  const draft = `${path}.draft`
  rmSync(draft, { force: true })
  writeFileSync(draft, `${text}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(draft, path)
  return text
}

/** The text of a kept file, without its line end; null when there is none. */
export function readKept(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? null : text
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** A key for one purpose, so that what one part signs says nothing to another. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'tickwheel', purpose, 32))
}

/** HMAC-SHA256, base64url. */
export function sign(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** Compares two texts in a time that says nothing of where they differ. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
