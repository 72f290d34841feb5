/**
 * The timing wheel beside a binary heap and setTimeout: 1,000,000 timers over 60 s, a quarter of them cancelled, the rest fired.
 * Run by `node --conditions=development bench/wheel.bench.ts`.
 *
 * Every measurement is a process of its own, the peers take turns, and the table shows medians of three rounds. Only the ratios mean
 * anything on another machine. Wheel and heap are turned by hand in steps of 10 ms. setTimeout cannot be turned, so its timers have
 * delays of 1 to 6,000 ms, the process sleeps until all are due, and what counts is the time from the first callback to the last.
 * Bytes are what one armed timer with its payload costs: the wheel's arrays, for the others the growth of the heap after a collection.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TimingWheel, seededRandom } from '@tickwheel/core'
import type { TimerHandle } from '@tickwheel/core'
import { BinaryHeap } from './binary-heap.ts'
import type { HeapTimer } from './binary-heap.ts'
import { formatTable, machine, median } from './report.ts'

const TIMERS = 1_000_000
const SPAN_MS = 60_000
const STEP_MS = 10
const SET_TIMEOUT_SPAN_MS = 6_000
const ROUNDS = 3
const START = 1_800_000_000_000

type Figures = {
  /** Operations a second. */
  readonly insert: number
  readonly cancel: number
  readonly fire: number
  readonly bytes: number
  /** NaN where there are no ticks. */
  readonly worstTickMs: number
}

const PEERS = { wheel: measureWheel, 'binary heap': measureHeap, setTimeout: measureSetTimeout } as const
type Peer = keyof typeof PEERS
const PEER_NAMES = ['wheel', 'binary heap', 'setTimeout'] as const satisfies readonly Peer[]

const asked = PEER_NAMES.find((name) => name === process.argv[2])
if (asked === undefined) compareAll()
else process.stdout.write(listOf(await PEERS[asked]()).join(' '))

function compareAll(): void {
  const results = new Map<Peer, Figures[]>(PEER_NAMES.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) for (const [name, list] of results) list.push(measureInChild(name))
  const medians = new Map([...results].map(([name, list]) => [name, medianFigures(list)]))
  const wheel = medians.get('wheel')
  if (wheel === undefined) throw new Error('the wheel was not measured')
  console.log(`${TIMERS.toLocaleString('en')} timers over ${SPAN_MS / 1000} s, 25 % cancelled, medians of ${ROUNDS}. ${machine()}\n`)
  const head = ['', 'insert M/s', 'cancel M/s', 'fire M/s', 'bytes each', 'worst tick ms']
  console.log(
    formatTable(
      head,
      [...medians].map(([name, figures]) => [name, ...cellsOf(figures)]),
    ),
  )
  console.log('\nThe wheel against each, as ratio (more is better, for bytes and worst tick less):\n')
  console.log(
    formatTable(
      head,
      [...medians].slice(1).map(([name, figures]) => [`wheel / ${name}`, ...ratiosOf(wheel, figures)]),
    ),
  )
}

function measureInChild(peer: Peer): Figures {
  const output = execFileSync(process.execPath, ['--conditions=development', fileURLToPath(import.meta.url), peer], { encoding: 'utf8' })
  const [insert = NaN, cancel = NaN, fire = NaN, bytes = NaN, worstTickMs = NaN] = output.split(' ').map(Number)
  return { insert, cancel, fire, bytes, worstTickMs }
}

function listOf({ insert, cancel, fire, bytes, worstTickMs }: Figures): number[] {
  return [insert, cancel, fire, bytes, worstTickMs]
}

function medianFigures(list: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number): number => median(list.map(pick))
  return {
    insert: of((f) => f.insert),
    cancel: of((f) => f.cancel),
    fire: of((f) => f.fire),
    bytes: of((f) => f.bytes),
    worstTickMs: of((f) => f.worstTickMs),
  }
}

function cellsOf({ insert, cancel, fire, bytes, worstTickMs }: Figures): string[] {
  const millions = [insert, cancel, fire].map((rate) => (rate / 1e6).toFixed(2))
  return [...millions, bytes.toFixed(0), Number.isNaN(worstTickMs) ? '-' : worstTickMs.toFixed(2)]
}

function ratiosOf(ours: Figures, theirs: Figures): string[] {
  const their = listOf(theirs)
  return listOf(ours).map((our, index) => {
    const ratio = our / (their[index] ?? NaN)
    return Number.isNaN(ratio) ? '-' : `${ratio.toFixed(2)} ×`
  })
}

function measureWheel(): Figures {
  const dueAts = randomInstants(START, SPAN_MS)
  const handles = new Array<TimerHandle>(TIMERS)
  const wheel = new TimingWheel({ startAt: START })
  const insertMs = timed(() => dueAts.forEach((dueAt, payload) => (handles[payload] = wheel.insert(dueAt, payload))))
  const bytes = wheel.bytes / TIMERS
  const cancelMs = timed(() => everyFourth((index) => cancelled(wheel.cancel(handles[index] ?? wheel.insert(START, 0)))))
  return { ...rates(insertMs, cancelMs), ...turn((now, fire) => wheel.advance(now, fire)), bytes }
}

function measureHeap(): Figures {
  const dueAts = randomInstants(START, SPAN_MS)
  const handles = new Array<HeapTimer>(TIMERS)
  const before = heapBytes()
  const heap = new BinaryHeap()
  const insertMs = timed(() => dueAts.forEach((dueAt, payload) => (handles[payload] = heap.insert(dueAt, payload))))
  const bytes = (heapBytes() - before) / TIMERS
  const cancelMs = timed(() => everyFourth((index) => cancelled(heap.cancel(handles[index] ?? heap.insert(START, 0)))))
  return { ...rates(insertMs, cancelMs), ...turn((now, fire) => heap.advance(now, fire)), bytes }
}

async function measureSetTimeout(): Promise<Figures> {
  const delays = randomInstants(1, SET_TIMEOUT_SPAN_MS)
  const handles = new Array<NodeJS.Timeout>(TIMERS)
  const before = heapBytes()
  const all = Promise.withResolvers<number>()
  let left = TIMERS - TIMERS / 4
  let firstAt = 0
  let sum = 0
  const fire = (payload: number): void => {
    sum += payload
    if (firstAt === 0) firstAt = performance.now()
    if (--left === 0) all.resolve(performance.now() - firstAt)
  }
  const insertMs = timed(() => delays.forEach((delay, payload) => (handles[payload] = setTimeout(fire, delay, payload))))
  const bytes = (heapBytes() - before) / TIMERS
  const cancelMs = timed(() => everyFourth((index) => clearTimeout(handles[index])))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SET_TIMEOUT_SPAN_MS + 100)
  const fireMs = await all.promise
  if (sum === 0) throw new Error('nothing fired')
  return { ...rates(insertMs, cancelMs), fire: perSecond(TIMERS - TIMERS / 4, fireMs), bytes, worstTickMs: NaN }
}

/** Turns a structure through the whole span and checks that it fired what it should, each at its instant. */
function turn(advance: (now: number, fire: (payload: number, dueAt: number) => void) => number): Pick<Figures, 'fire' | 'worstTickMs'> {
  let fired = 0
  let sum = 0
  let latest = START
  const fire = (payload: number, dueAt: number): void => {
    sum += payload
    latest = dueAt
  }
  let worstTickMs = 0
  const totalMs = timed(() => {
    for (let now = START; now <= START + SPAN_MS; now += STEP_MS) {
      const tickMs = timed(() => (fired += advance(now, fire)))
      worstTickMs = Math.max(worstTickMs, tickMs)
      if (latest > now) throw new Error(`fired early: ${latest} at ${now}`)
    }
  })
  if (fired !== TIMERS - TIMERS / 4 || sum === 0) throw new Error(`fired ${fired} timers, expected ${TIMERS - TIMERS / 4}`)
  return { fire: perSecond(fired, totalMs), worstTickMs }
}

function randomInstants(from: number, spanMs: number): readonly number[] {
  const random = seededRandom(1)
  return Array.from({ length: TIMERS }, () => from + Math.floor(random.next() * spanMs))
}

function everyFourth(run: (index: number) => void): void {
  for (let index = 0; index < TIMERS; index += 4) run(index)
}

function cancelled(answer: boolean): void {
  if (!answer) throw new Error('a timer that waits could not be cancelled')
}

function rates(insertMs: number, cancelMs: number): Pick<Figures, 'insert' | 'cancel'> {
  return { insert: perSecond(TIMERS, insertMs), cancel: perSecond(TIMERS / 4, cancelMs) }
}

function perSecond(count: number, ms: number): number {
  return (count * 1000) / ms
}

function timed(run: () => void): number {
  const startedAt = performance.now()
  run()
  return performance.now() - startedAt
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc()')
  return process.memoryUsage().heapUsed
}
