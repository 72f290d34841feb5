import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const deployFolder = join(import.meta.dirname, '../../deploy')

/** What the tests read of a service. */
export interface Service {
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly stop_grace_period?: string
  readonly restart?: string
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

/** deploy/compose.yaml as it stands, before variables are put in. */
export const composeText = readFileSync(join(deployFolder, 'compose.yaml'), 'utf8')

/** deploy/compose.yaml with merge keys and variables resolved, as `docker compose config` does. Throws when a variable that must be there is empty. */
export function readCompose(env: Readonly<Record<string, string>>): Compose {
  const value: unknown = parse(composeText, { merge: true })
  return withVariables(value, env) as Compose
}

/** The variables of an env file. */
export function readEnvFile(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n')
  return Object.fromEntries(lines.flatMap((line) => pairIn(line)))
}

/** What `deploy/make-env.sh` makes of .env.example, in a folder of the caller's. */
export function makeEnv(folder: string): Record<string, string> {
  const path = join(folder, 'compose.env')
  execFileSync('sh', [join(deployFolder, 'make-env.sh'), path], { stdio: 'pipe' })
  return readEnvFile(path)
}

/** `45s` and `2m` in milliseconds. */
export function durationMs(text: string | undefined): number {
  const [, amount, unit] = /^(\d+)(s|m)$/.exec(text ?? '') ?? []
  if (amount === undefined) throw new Error(`${String(text)} is no duration`)
  return Number(amount) * (unit === 's' ? 1000 : 60_000)
}

function pairIn(line: string): [string, string][] {
  const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
  return name === undefined ? [] : [[name, value ?? '']]
}

function withVariables(value: unknown, env: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return resolved(value, env)
  if (Array.isArray(value)) return value.map((item) => withVariables(item, env))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withVariables(item, env)]))
}

/** Compose's own rules, as far as the file uses them: `${NAME:?why}`, `${NAME:-default}`, `$$`. */
function resolved(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\{(\w+)(?::([?-])([^}]*))?\}/g, (whole, name: string | undefined, kind: string | undefined, rest: string) => {
    if (whole === '$$' || name === undefined) return '$'
    const given = env[name] ?? ''
    if (given !== '') return given
    if (kind === '-') return rest
    throw new Error(`${name} is empty: ${rest}`)
  })
}
