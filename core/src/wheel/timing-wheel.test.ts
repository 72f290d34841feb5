import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimingWheel } from './timing-wheel.ts'
import type { TimerHandle } from './timing-wheel.ts'

const MINUTE = 60_000
const START = 1_790_000_000_123

function fireAll(wheel: TimingWheel, now: number, limit?: number): number[] {
  const payloads: number[] = []
  wheel.advance(now, (payload) => payloads.push(payload), limit)
  return payloads
}

describe('a timing wheel', () => {
  it('fires a timer when its instant is reached, and not a millisecond before', () => {
    for (const delay of [0, 1, 9, 10, 11, 2_559, 2_560, 2_561, 655_359, 655_360, 655_361, 167_772_160, 42_949_672_960, 3e12]) {
      const wheel = new TimingWheel({ startAt: START })
      wheel.insert(START + delay, 7)
      if (delay > 0) expect(fireAll(wheel, START + delay - 1), `1 ms before ${delay}`).toEqual([])
      expect(fireAll(wheel, START + delay), `at ${delay}`).toEqual([7])
      expect(wheel.size).toBe(0)
    }
  })

  it('fires timers on both sides of every level boundary in order, in one jump and millisecond by millisecond around them', () => {
    for (const level of [1, 2, 3, 4]) {
      const boundary = (Math.floor(START / 10 / 256 ** level) + 1) * 256 ** level * 10
      const instants = [-11, -10, -9, -1, 0, 1, 9, 10, 11, 2_559, 2_560, 2_561].map((offset) => boundary + offset)
      for (const stepMs of [Infinity, 1, 7]) {
        const wheel = new TimingWheel({ startAt: START })
        for (const instant of instants.toReversed()) wheel.insert(instant, instant)
        const fired: number[] = fireAll(wheel, boundary - 12)
        expect(fired).toEqual([])
        for (let now = boundary - 12; now < boundary + 2_561; now += stepMs) fired.push(...fireAll(wheel, now))
        fired.push(...fireAll(wheel, boundary + 2_561))
        expect(fired).toEqual(instants)
      }
    }
  })

  it('keeps the order of insertion among timers of one instant, however near or far they were when inserted', () => {
    const wheel = new TimingWheel({ startAt: START })
    const instant = START + 700_000
    let payload = 0
    for (let now = START; now < instant; now += 97) {
      fireAll(wheel, now)
      for (let times = 0; times < 30; times++) wheel.insert(instant, payload++)
    }
    expect(fireAll(wheel, instant)).toEqual(Array.from({ length: payload }, (_, index) => index))
  })

  it('keeps that order when a list is too long to be moved down in time', () => {
    const wheel = new TimingWheel({ startAt: 0 })
    const instant = 2 * 2_560
    for (let payload = 0; payload < 10_000; payload++) wheel.insert(instant, payload)
    fireAll(wheel, 2_560)
    for (let payload = 10_000; payload < 10_100; payload++) wheel.insert(instant, payload)
    expect(fireAll(wheel, instant)).toEqual(Array.from({ length: 10_100 }, (_, index) => index))
  })

  it('keeps that order where the turns of several levels end at once', () => {
    const wheel = new TimingWheel({ startAt: 0, movesPerTick: 1 })
    const instant = 2 * 655_360 + 5
    for (let payload = 0; payload < 3; payload++) wheel.insert(instant, payload)
    fireAll(wheel, instant - 20)
    wheel.insert(instant, 3)
    fireAll(wheel, instant - 10)
    wheel.insert(instant, 4)
    expect(fireAll(wheel, instant)).toEqual([0, 1, 2, 3, 4])
  })

  it('fires a timer whose instant has passed on the next advance, even when the clock stands still', () => {
    const wheel = new TimingWheel({ startAt: START })
    fireAll(wheel, START + 5)
    wheel.insert(START - MINUTE, 1)
    wheel.insert(-5, 2)
    expect(wheel.nextDueAt()).toBe(START + 5)
    expect(fireAll(wheel, START + 5)).toEqual([1, 2])
  })

  it('rounds a fraction of an instant up and a fraction of now down', () => {
    const wheel = new TimingWheel({ startAt: 1000 })
    wheel.insert(1004.2, 1)
    expect(fireAll(wheel, 1004.9)).toEqual([])
    expect(fireAll(wheel, 1005)).toEqual([1])
  })

  it('does nothing when the clock goes back, and goes on when it has caught up', () => {
    const wheel = new TimingWheel({ startAt: START })
    fireAll(wheel, START + MINUTE)
    wheel.insert(START + 1, 1)
    expect(fireAll(wheel, START + 30_000)).toEqual([])
    expect(wheel.reachedAt).toBe(START + MINUTE)
    expect(fireAll(wheel, START + MINUTE)).toEqual([1])
  })

  it('rewinds to an earlier instant and keeps every timer and handle', () => {
    const wheel = new TimingWheel({ startAt: START })
    fireAll(wheel, START + MINUTE)
    wheel.insert(START + 30_001, 1)
    wheel.insert(START + 90_000, 2)
    const third = wheel.insert(START + 30_002, 3)
    wheel.rewind(START + 30_000)
    expect(wheel.nextDueAt()).toBeLessThanOrEqual(START + 30_001)
    expect(fireAll(wheel, START + 30_000)).toEqual([])
    expect(fireAll(wheel, START + 30_001)).toEqual([1])
    expect(wheel.cancel(third)).toBe(true)
    expect(fireAll(wheel, START + 90_000)).toEqual([2])
  })

  it('stops at the limit and goes on from there', () => {
    const wheel = new TimingWheel({ startAt: START })
    for (let payload = 0; payload < 10; payload++) wheel.insert(START + 5 + Math.floor(payload / 4), payload)
    expect(fireAll(wheel, START + 100, 0)).toEqual([])
    expect(fireAll(wheel, START + 100, 3)).toEqual([0, 1, 2])
    expect(wheel.nextDueAt()).toBe(START + 5)
    expect(fireAll(wheel, START + 100, 3)).toEqual([3, 4, 5])
    expect(fireAll(wheel, START + 100)).toEqual([6, 7, 8, 9])
  })

  it('cancels due timers from inside advance, and refuses the handle of the timer that is firing', () => {
    const wheel = new TimingWheel({ startAt: START })
    const handles: TimerHandle[] = []
    for (let payload = 0; payload < 6; payload++) handles.push(wheel.insert(START + 20 + (payload >> 1), payload))
    const unknownHandle = wheel.insert(START + 1000, 99)
    wheel.cancel(unknownHandle)
    const fired: number[] = []
    const answers: boolean[] = []
    wheel.advance(START + 100, (payload) => {
      fired.push(payload)
      for (const other of [payload, payload + 1]) answers.push(wheel.cancel(handles[other] ?? unknownHandle))
    })
    expect(fired).toEqual([0, 2, 4])
    expect(answers).toEqual([false, true, false, true, false, true])
    expect(wheel.size).toBe(0)
  })

  it('fires a timer that was armed inside advance in the same call when it is due by then, else in the next', () => {
    const wheel = new TimingWheel({ startAt: 1000 })
    wheel.insert(1010, 1010)
    const rearm = (payload: number, into: number[]): void => {
      into.push(payload)
      wheel.insert(payload + 30, payload + 30)
    }
    const first: number[] = []
    wheel.advance(1100, (payload) => rearm(payload, first))
    expect(first).toEqual([1010, 1040, 1070, 1100])
    expect(wheel.nextDueAt()).toBe(1130)
  })

  it('cannot be held for ever by a timer that arms itself in the past', () => {
    const wheel = new TimingWheel({ startAt: 1000 })
    wheel.insert(1000, 1)
    let fired = 0
    const rearm = (): void => {
      fired++
      wheel.insert(0, 1)
    }
    wheel.advance(1000, rearm)
    expect(fired).toBe(1)
    wheel.advance(1025, rearm)
    expect(fired).toBe(26)
  })

  it('refuses a stale handle after its place was given to another timer', () => {
    const wheel = new TimingWheel({ startAt: START })
    const first = wheel.insert(START + 1, 1)
    expect(wheel.cancel(first)).toBe(true)
    expect(wheel.cancel(first)).toBe(false)
    const second = wheel.insert(START + 1, 2)
    expect(wheel.cancel(first)).toBe(false)
    expect(fireAll(wheel, START + 1)).toEqual([2])
    expect(wheel.cancel(second)).toBe(false)
  })

  it('carries any safe integer as payload', () => {
    const wheel = new TimingWheel({ startAt: START })
    wheel.insert(START, Number.MAX_SAFE_INTEGER)
    expect(fireAll(wheel, START)).toEqual([Number.MAX_SAFE_INTEGER])
  })

  it('holds the farthest instant there is and stays usable when the callback throws', () => {
    const wheel = new TimingWheel({ startAt: START })
    const far = wheel.insert(Number.MAX_SAFE_INTEGER, 1)
    wheel.insert(START + 1, 2)
    wheel.insert(START + 2, 3)
    const fail = (): never => {
      throw new Error('no')
    }
    expect(() => wheel.advance(START + 5, fail)).toThrow('no')
    expect(fireAll(wheel, START + 1e12)).toEqual([3])
    expect(wheel.cancel(far)).toBe(true)
  })

  it('brings timers beyond the last level down turn by turn', () => {
    const wheel = new TimingWheel({ startAt: 0, tickMs: 1 })
    const beyond = 3 * 2 ** 40 + 17
    wheel.insert(beyond, 1)
    expect(fireAll(wheel, beyond - 1)).toEqual([])
    expect(fireAll(wheel, beyond)).toEqual([1])
  })

  it('refuses to be advanced or rewound from its own callback', () => {
    const wheel = new TimingWheel({ startAt: START })
    wheel.insert(START, 1)
    wheel.insert(START, 2)
    expect(() => wheel.advance(START, () => wheel.advance(START, () => undefined))).toThrow('inside its own callback')
    expect(() => wheel.advance(START, () => wheel.rewind(0))).toThrow('inside advance')
  })

  it('refuses instants that are not numbers and ticks that are not whole milliseconds', () => {
    const wheel = new TimingWheel({ startAt: START })
    for (const wrong of [NaN, Infinity]) expect(() => wheel.insert(wrong, 1)).toThrow(RangeError)
    for (const wrong of [NaN, -1, Infinity]) expect(() => new TimingWheel({ startAt: wrong })).toThrow(RangeError)
    for (const wrong of [0, 1.5, 1001, NaN]) expect(() => new TimingWheel({ startAt: 0, tickMs: wrong })).toThrow(RangeError)
    expect(fireAll(wheel, NaN)).toEqual([])
  })

  it('holds a million timers in at most 36 bytes each and grows by doubling', () => {
    const wheel = new TimingWheel({ startAt: START, capacity: 1 })
    for (let payload = 0; payload < 1_000_000; payload++) wheel.insert(START + (payload % MINUTE), payload)
    expect(wheel.size).toBe(1_000_000)
    expect(wheel.bytes / wheel.size).toBeLessThan(36)
    const bytes = wheel.bytes
    expect(wheel.advance(START + MINUTE, () => undefined)).toBe(1_000_000)
    for (let payload = 0; payload < 1_000_000; payload++) wheel.insert(START + MINUTE + (payload % MINUTE), payload)
    expect(wheel.bytes).toBe(bytes)
  })

  it('moves a long list down over many ticks, and asks to be called for it', () => {
    const wheel = new TimingWheel({ startAt: 0 })
    for (let payload = 0; payload < 100_000; payload++) wheel.insert(3 * 2_560 + 500, payload)
    expect(wheel.nextDueAt()).toBe(2 * 2_560)
    let calls = 0
    let fired = 0
    for (let next = wheel.nextDueAt(); next !== null; next = wheel.nextDueAt()) {
      fired += wheel.advance(next, () => undefined)
      calls++
    }
    expect(fired).toBe(100_000)
    expect(calls).toBe(Math.ceil(100_000 / 4096) + 1)
  })
})

type Fire = (payload: number, dueAt: number) => void
type OracleTimer = { readonly instant: number; readonly sequence: number; readonly dueAt: number; readonly payload: number }

/** The oracle: a plain list, filtered and sorted on every call. */
class SortedList {
  #timers: readonly OracleTimer[] = []
  #sequence = 0
  #isAdvancing = false
  reachedAt: number

  constructor(startAt: number) {
    this.reachedAt = startAt
  }

  get size(): number {
    return this.#timers.length
  }

  insert(dueAt: number, payload: number): number {
    const instant = Math.max(dueAt, this.#isAdvancing ? this.reachedAt + 1 : this.reachedAt)
    this.#timers = [...this.#timers, { instant, sequence: ++this.#sequence, dueAt, payload }]
    return this.#sequence
  }

  cancel(sequence: number): boolean {
    const before = this.#timers.length
    this.#timers = this.#timers.filter((timer) => timer.sequence !== sequence)
    return this.#timers.length < before
  }

  advance(now: number, fire: Fire, limit: number): number {
    if (now < this.reachedAt) return 0
    this.#isAdvancing = true
    let fired = 0
    for (let next = this.#next(now); next !== undefined && fired < limit; next = this.#next(now)) {
      this.reachedAt = next.instant
      this.cancel(next.sequence)
      fired++
      fire(next.payload, next.dueAt)
    }
    if (fired < limit) this.reachedAt = now
    this.#isAdvancing = false
    return fired
  }

  nextDueAt(): number | null {
    return this.#timers.length === 0 ? null : Math.min(...this.#timers.map((timer) => timer.instant))
  }

  rewind(now: number): void {
    if (now < 0 || now >= this.reachedAt) return
    this.reachedAt = now
    this.#timers = this.#timers.map((timer) => ({ ...timer, instant: Math.max(timer.dueAt, now) }))
  }

  #next(now: number): OracleTimer | undefined {
    return this.#timers.filter((timer) => timer.instant <= now).toSorted((a, b) => a.instant - b.instant || a.sequence - b.sequence)[0]
  }
}

type Step =
  | { readonly kind: 'insert'; readonly delay: number }
  | { readonly kind: 'cancel'; readonly pick: number }
  | { readonly kind: 'advance'; readonly by: number; readonly limit: number; readonly reactions: readonly Reaction[] }
  | { readonly kind: 'follow' }
  | { readonly kind: 'rewind'; readonly by: number }

/** What the callback of one firing does. */
type Reaction = { readonly insert: number | null; readonly cancel: number | null }

const span = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1_500_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 90_000_000_000_000 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -12, max: 12 }))
      .map(([level, offset]) => Math.max(0, 10 * 256 ** level + offset)),
  },
)
const reaction: fc.Arbitrary<Reaction> = fc.record({
  insert: fc.option(fc.oneof(span, fc.integer({ min: -50, max: 0 }))),
  cancel: fc.option(fc.nat(200)),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('insert' as const), delay: fc.oneof(span, fc.integer({ min: -5_000, max: 0 })) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat(200) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      by: fc.oneof({ weight: 6, arbitrary: span }, { weight: 1, arbitrary: fc.integer({ min: -100_000, max: -1 }) }),
      limit: fc.oneof({ weight: 4, arbitrary: fc.constant(Infinity) }, { weight: 1, arbitrary: fc.nat(3) }),
      reactions: fc.array(reaction, { maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'follow' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const), by: fc.integer({ min: 0, max: 3_000_000 }) }) },
)

/** What the wheel and the oracle have in common. */
interface Timers<Handle> {
  readonly size: number
  readonly reachedAt: number
  insert(dueAt: number, payload: number): Handle
  cancel(handle: Handle): boolean
  advance(now: number, fire: Fire, limit: number): number
  nextDueAt(): number | null
  rewind(now: number): void
}

/** Drives one of the two through the steps and notes every answer it gives. */
class Player<Handle> {
  readonly #timers: Timers<Handle>
  readonly #handles: Handle[] = []

  constructor(timers: Timers<Handle>) {
    this.#timers = timers
  }

  play(next: Step, followAt: number): unknown[] {
    const answers: unknown[] = []
    const { reachedAt } = this.#timers
    switch (next.kind) {
      case 'insert':
        this.#insert(reachedAt + next.delay)
        break
      case 'cancel':
        answers.push(this.#cancel(next.pick))
        break
      case 'advance':
        this.#advance(reachedAt + next.by, next, answers)
        break
      case 'follow':
        this.#advance(followAt, { limit: Infinity, reactions: [] }, answers)
        break
      case 'rewind':
        this.#timers.rewind(reachedAt - next.by)
        break
    }
    return [...answers, this.#timers.size, this.#timers.reachedAt]
  }

  #insert(dueAt: number): void {
    this.#handles.push(this.#timers.insert(dueAt, this.#handles.length))
  }

  #cancel(pick: number): boolean | null {
    const handle = this.#handles[pick % Math.max(1, this.#handles.length)]
    return handle === undefined ? null : this.#timers.cancel(handle)
  }

  #advance(
    now: number,
    { limit, reactions }: { readonly limit: number; readonly reactions: readonly Reaction[] },
    answers: unknown[],
  ): void {
    let index = 0
    const fire: Fire = (payload, dueAt) => {
      answers.push([payload, dueAt])
      const { insert = null, cancel = null } = reactions[index++] ?? {}
      if (insert !== null) this.#insert(this.#timers.reachedAt + insert)
      if (cancel !== null) answers.push(this.#cancel(cancel))
    }
    answers.push(this.#timers.advance(now, fire, limit))
  }
}

function compare(startAt: number, tickMs: number, movesPerTick: number, steps: readonly Step[]): void {
  const wheel = new TimingWheel({ startAt, tickMs, movesPerTick, capacity: 2 })
  const oracle = new SortedList(startAt)
  const wheelPlayer = new Player(wheel)
  const oraclePlayer = new Player(oracle)
  const play = (next: Step): void => {
    const followAt = wheel.nextDueAt() ?? wheel.reachedAt
    expect(wheelPlayer.play(next, followAt)).toEqual(oraclePlayer.play(next, followAt))
    const exact = oracle.nextDueAt()
    if (exact === null) expect(wheel.nextDueAt()).toBeNull()
    else expect(wheel.nextDueAt()).toBeLessThanOrEqual(exact)
    expect(wheel.nextDueAt() ?? wheel.reachedAt).toBeGreaterThanOrEqual(wheel.reachedAt)
  }
  for (const next of steps) play(next)
  while (oracle.size > 0) play({ kind: 'follow' })
}

describe('a timing wheel beside a sorted list', () => {
  it('fires the same timers in the same order, whatever is inserted, cancelled and rewound and however the clock jumps', () => {
    const property = fc.property(
      fc.constantFrom(0, 5, 2_559, START),
      fc.constantFrom(10, 1, 7),
      fc.constantFrom(1, 4096),
      fc.array(step, { maxLength: 60 }),
      compare,
    )
    fc.assert(property, { numRuns: 1500 })
  })
})
