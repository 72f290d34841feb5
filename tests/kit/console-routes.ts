import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(import.meta.dirname, '..', '..', 'web', 'src', 'router', 'router.ts')

/** The names of the console's routes, as its router has them. Read, not run: the router wants a browser. */
export function consoleRoutes(): string[] {
  const names = [...readFileSync(file, 'utf8').matchAll(/\bname: '([a-z-]+)', component:/g)].flatMap(([, name]) => name ?? [])
  if (names.length < 20) throw new Error(`${file}: only ${String(names.length)} routes were found; does this reader still fit it?`)
  return names
}
