/**
 * `consistentHash` beside npm's hashring: how evenly keys fall on executors, how many move when one leaves or joins, and what one answer costs.
 * Run by `node --conditions=development bench/routing.bench.ts`.
 *
 * Both get the same 20,000 keys and the same nine fleets of executors in one run; the table shows medians of the fleets. hashring (ketama, with its own defaults) is asked for the first server of a key,
 * `consistentHash` for its whole order with nothing in flight. Balance is the fullest executor against the mean; movement is the share of keys whose
 * executor changes, against the share that must (1/N for who leaves, 1/(N+1) for who joins); astray are keys that move although neither their old nor
 * their new executor is the one that left or joined. Loads: with every key in flight at once and equal capacities, the fullest executor against the mean.
 */
import { id, rank, RouteMemory, seededRandom, type Candidate } from '@tickwheel/core'
import HashRing from 'hashring'
import { formatTable, machine, median } from './report.ts'

const KEYS = 20_000
const FLEETS = 9
const LOADED = 5_000
const keys = Array.from({ length: KEYS }, (_, n) => `value:customer-${n}`)

interface Router {
  readonly name: string
  /** the executor of each key */
  readonly homes: (names: readonly string[]) => string[]
}

const tickwheel: Router = {
  name: 'consistentHash',
  homes(names) {
    const memory = new RouteMemory()
    const candidates = names.map((name) => candidateOf(name, 0, 1_000_000))
    return keys.map((key) => ask(key, candidates, memory))
  },
}

const peer: Router = {
  name: 'hashring',
  homes(names) {
    const ring = new HashRing([...names])
    return keys.map((key) => ring.get(key))
  },
}

const rows = [3, 10, 50].flatMap((count) => [tickwheel, peer].map((router) => measure(router, count)))
console.log(`${KEYS.toLocaleString('en')} keys, medians of ${FLEETS} fleets. ${machine()}\n`)
console.log(
  formatTable(['', 'executors', 'fullest / mean', 'moved on leave', 'must', 'astray', 'moved on join', 'must', 'astray', 'µs a key'], rows),
)
console.log(
  `\nBounded load: ${LOADED.toLocaleString('en')} runs in flight, a tenth of them of one key, at executors with room for 1,000 each\n`,
)
console.log(
  formatTable(
    ['executors', 'consistentHash fullest / mean', 'hashring fullest / mean'],
    [6, 10, 20].map((count) => [String(count), fixed(loaded(count)), fixed(loadedPeer(count))]),
  ),
)

function measure(router: Router, count: number): string[] {
  const fleets = Array.from({ length: FLEETS }, (_, fleet) => measureFleet(router, namesOf(count, 1000 * fleet)))
  const middle = (pick: (figures: Figures) => number): number => median(fleets.map(pick))
  return [
    router.name,
    String(count),
    fixed(middle(({ fullest: most }) => most)),
    percent(middle(({ left }) => left)),
    percent(1 / count),
    percent(middle(({ astrayLeft }) => astrayLeft)),
    percent(middle(({ joined }) => joined)),
    percent(1 / (count + 1)),
    percent(middle(({ astrayJoined }) => astrayJoined)),
    fixed(middle(({ microseconds }) => microseconds)),
  ]
}

interface Figures {
  readonly fullest: number
  readonly left: number
  readonly astrayLeft: number
  readonly joined: number
  readonly astrayJoined: number
  readonly microseconds: number
}

function measureFleet(router: Router, names: readonly string[]): Figures {
  const began = performance.now()
  const before = router.homes(names)
  const microseconds = ((performance.now() - began) * 1000) / KEYS
  const gone = names[names.length >> 1] ?? ''
  const after = router.homes(names.filter((name) => name !== gone))
  const newcomer = 'worker-999999'
  const more = router.homes([...names, newcomer])
  return {
    fullest: fullest(before, names.length),
    left: share(before, after),
    astrayLeft: astray(before, after, gone),
    joined: share(before, more),
    astrayJoined: astray(before, more, newcomer),
    microseconds,
  }
}

/** Runs arrive one after the other and none ends: where the next goes depends on what is in flight. */
function loaded(count: number): number {
  const memory = new RouteMemory()
  const running = new Map(namesOf(count).map((name) => [name, 0]))
  for (let run = 0; run < LOADED; run++) {
    const home = ask(
      hotKey(run),
      [...running].map(([name, used]) => candidateOf(name, used, 1000)),
      memory,
    )
    running.set(home, (running.get(home) ?? 0) + 1)
  }
  return (Math.max(...running.values()) * count) / LOADED
}

function loadedPeer(count: number): number {
  const ring = new HashRing(namesOf(count))
  return fullest(
    Array.from({ length: LOADED }, (_, run) => ring.get(hotKey(run))),
    count,
  )
}

function hotKey(run: number): string {
  return run % 10 === 0 ? 'value:hot' : (keys[run] ?? '')
}

function ask(key: string, candidates: readonly Candidate[], memory: RouteMemory): string {
  const { order } = rank({
    strategy: 'consistentHash',
    taskId: id<'task'>(1),
    key: { text: key, source: 'params.customer' },
    tried: null,
    candidates,
    memory,
    random: seededRandom(1),
    now: 0,
  })
  return order[0]?.candidate.name ?? ''
}

function candidateOf(name: string, running: number, capacity: number): Candidate {
  return { executorId: id<'executor'>(Number(name.slice('worker-'.length)) + 1), name, running, capacity, labels: {} }
}

function namesOf(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => `worker-${from + n}`)
}

function fullest(homes: readonly string[], count: number): number {
  const counts = Map.groupBy(homes, (home) => home)
    .values()
    .map((list) => list.length)
  return (Math.max(...counts) * count) / homes.length
}

function share(before: readonly string[], after: readonly string[]): number {
  return before.filter((home, n) => home !== after[n]).length / before.length
}

function astray(before: readonly string[], after: readonly string[], changed: string): number {
  return before.filter((home, n) => home !== after[n] && home !== changed && after[n] !== changed).length / before.length
}

function fixed(value: number): string {
  return value.toFixed(2)
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`
}
