import { expect, it } from 'vitest'
import { ServerClock } from './server-clock.ts'

function scene(): { clock: ServerClock; pass: (ms: number) => void; hear: (at: number) => void } {
  let monotonic = 1000
  const clock = new ServerClock(
    () => 7,
    () => monotonic,
  )
  return { clock, pass: (ms) => void (monotonic += ms), hear: (at) => clock.learn(at) }
}

it('is the local clock at first, then the server’s, and goes on by itself', () => {
  const { clock, pass, hear } = scene()
  expect(clock.now()).toBe(7)
  hear(500_000)
  pass(250)
  expect(clock.now()).toBe(500_250)
})

it('is not put back by answers that waited on their way, however many are read at once', () => {
  const { clock, pass, hear } = scene()
  hear(500_000)
  pass(12_000)
  hear(505_000)
  hear(510_000)
  expect(clock.now()).toBe(512_000)
  pass(1000)
  hear(513_000)
  expect(clock.now()).toBe(513_000)
})

it('follows a server whose clock went back, from the second answer on', () => {
  const { clock, pass, hear } = scene()
  hear(500_000)
  pass(5000)
  hear(493_000)
  expect(clock.now()).toBe(505_000)
  pass(5000)
  hear(498_000)
  expect(clock.now()).toBe(498_000)
})

it('follows at once a clock that went ahead', () => {
  const { clock, pass, hear } = scene()
  hear(500_000)
  pass(5000)
  hear(600_000)
  expect(clock.now()).toBe(600_000)
})
