import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new folder under the system's temporary folder. Whoever makes it removes it: `removeDir`. */
export function makeDir(): string {
  return mkdtempSync(join(tmpdir(), 'tickwheel-test-'))
}

/** Removes a folder with all that is in it. */
export function removeDir(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 })
}

/** A new folder that is removed when the running test has finished. Only inside a test. */
export function tempDir(): string {
  const path = makeDir()
  onTestFinished(() => {
    removeDir(path)
  })
  return path
}
