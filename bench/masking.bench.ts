/**
 * Masking: what it costs to search the lines of a log for secrets. Chunks of 500 lines of 100 characters, as the executor sends them and the server takes
 * them, are read from JSON (what is done to each of them anyway) and searched for 0, 1, 3, 20 and 100 secrets of 40 characters, none of which is there.
 *
 *   lines    a second, on one core
 *   ratio    to the same without secrets
 *   share    of one core at 50,000 lines a second, of the search alone
 *
 * BENCH_SECONDS of each (default 2).
 */
import { randomBytes } from 'node:crypto'
import { Masker } from '@tickwheel/core'
import { formatTable, machine } from './report.ts'

const SECONDS = Number(process.env.BENCH_SECONDS ?? 2)
const PER_CHUNK = 500
const RATE = 50_000

const chunk = JSON.stringify(
  Array.from({ length: PER_CHUNK }, (_, index) => [
    1_790_000_000_000 + index,
    0,
    1,
    `${String(index).padStart(6, '0')} ${randomBytes(46).toString('hex')}`,
  ]),
)

/** Lines a second. */
function measure(secrets: number): number {
  const masker = secrets === 0 ? null : new Masker(Array.from({ length: secrets }, () => randomBytes(20).toString('hex')))
  const until = performance.now() + SECONDS * 1000
  const since = performance.now()
  let lines = 0
  let carry = ''
  while (performance.now() < until) {
    const read = JSON.parse(chunk) as [number, number, number, string][]
    if (masker !== null)
      ({ carry } = masker.lines(
        read.map(([, , , text]) => text),
        carry,
      ))
    lines += PER_CHUNK
  }
  return lines / ((performance.now() - since) / 1000)
}

console.log(machine())
measure(3)
const plain = measure(0)
const rows = [1, 3, 20, 100].map((secrets) => {
  const rate = measure(secrets)
  return [
    String(secrets),
    Math.round(rate).toLocaleString('en'),
    (rate / plain).toFixed(2),
    `${((1 / rate - 1 / plain) * RATE * 100).toFixed(1)} %`,
  ]
})
console.log(
  formatTable(
    ['secrets', 'lines/s', 'ratio', 'share at 50,000/s'],
    [['0', Math.round(plain).toLocaleString('en'), '1.00', '0.0 %'], ...rows],
  ),
)
