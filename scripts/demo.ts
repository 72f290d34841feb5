/**
 * A store full of a company's month, and a server on it where things go on: `npm run demo`. `-- --once` fills and ends, `--port N` instead of a free one,
 * `--data DIR` instead of .cache/demo (it must be empty), `--days N` of past. Never the store of anybody.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { untilSignal } from '@tickwheel/server'
import { freePort } from '../tests/kit/free-port.ts'
import { PASSWORD, PEOPLE } from './demo/company.ts'
import { playPast } from './demo/past.ts'
import { demoConfig, Present } from './demo/present.ts'

const MOST_DAYS = 60

class Refusal extends Error {}

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    port: { type: 'string' },
    data: { type: 'string' },
    days: { type: 'string', default: '30' },
  },
})

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Refusal ? error.message : error instanceof Error ? String(error.stack) : String(error)}\n`)
  return 1
})

async function main(): Promise<number> {
  const days = numberOf('days', values.days, 1, MOST_DAYS)
  const port = values.port === undefined ? await freePort() : numberOf('port', values.port, 1, 65_535)
  const dataDir = folderOf(values.data)
  const config = demoConfig(dataDir, port)
  const startedAt = performance.now()
  const isTold = process.stdout.isTTY
  const onDay = (day: number): void => void (isTold && process.stdout.write(`\rday ${String(day + 1)} of ${String(days)}`))
  const { runs, firings, findings } = await playPast({ config, url: `http://127.0.0.1:${String(port)}`, days, onDay })
  const took = ((performance.now() - startedAt) / 1000).toFixed(1)
  say(
    `${isTold ? '\r' : ''}${String(days)} days played in ${took} s: ${String(firings)} firings, ${String(runs)} ended runs, ${String(findings)} findings of the reckoner`,
  )
  say(`Store     ${dataDir}`)
  if (values.once) return 0
  const stopSignal = untilSignal()
  await using present = await Present.begin(config)
  say(`Console   ${present.url}`)
  say(`Accounts  admin, ${PEOPLE.flatMap(({ username, hasLeft }) => (hasLeft === true ? [] : [username])).join(', ')}`)
  say(`Password  ${PASSWORD}`)
  await stopSignal
  return 0
}

/** Its own folder is emptied; another must be empty, so that nobody's store is lost. */
function folderOf(given: string | undefined): string {
  if (given === undefined) {
    const own = join(import.meta.dirname, '..', '.cache', 'demo')
    rmSync(own, { recursive: true, force: true })
    return own
  }
  const folder = resolve(given)
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Refusal(
      `--data ${folder}: the folder is not empty, and the demo writes into empty ones only. Name another, or start a server on it: TICKWHEEL_DATA_DIR=${folder} npm start`,
    )
  return folder
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < least || number > most)
    throw new Refusal(`--${option} ${text}: a whole number from ${String(least)} to ${String(most)} is expected`)
  return number
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
