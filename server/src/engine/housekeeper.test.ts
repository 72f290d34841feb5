import { expect, it } from 'vitest'
import { Housekeeper } from './housekeeper.ts'
import { ManualClock } from './manual-clock.fixture.ts'

it('goes on while there is work, rests when there is none or it is for another node, and does nothing more once stopped', async () => {
  const clock = new ManualClock(1_000_000)
  const steps: number[] = []
  let isMine = true
  const chore = {
    step: async (now: number) => {
      steps.push(now - 1_000_000)
      return steps.length % 3 !== 0
    },
  }
  const housekeeper = new Housekeeper({
    clock,
    chores: [chore],
    isMine: () => isMine,
    onTrouble: (error) => {
      throw error
    },
  })
  housekeeper.start()
  await clock.advance(95_000, async () => housekeeper.idle())
  expect(steps).toEqual([30_000, 30_025, 30_050, 90_050, 90_075, 90_100])
  isMine = false
  await clock.advance(300_000, async () => housekeeper.idle())
  expect(steps).toHaveLength(6)
  isMine = true
  await clock.advance(65_000, async () => housekeeper.idle())
  expect(steps).toHaveLength(9)
  await housekeeper.stop()
  await clock.advance(600_000, async () => housekeeper.idle())
  expect(steps).toHaveLength(9)
})

it('tries again after a failure, and tells it', async () => {
  const clock = new ManualClock(0)
  let steps = 0
  const troubles: unknown[] = []
  const chore = {
    step: async () => {
      steps += 1
      if (steps === 1) throw new Error('the disk is full')
      return false
    },
  }
  const housekeeper = new Housekeeper({ clock, chores: [chore], isMine: () => true, onTrouble: (error) => troubles.push(error) })
  housekeeper.start()
  await clock.advance(31_000, async () => housekeeper.idle())
  expect([steps, troubles.length]).toEqual([2, 1])
  await housekeeper.stop()
})
