import type { Completeness, Instance, Task } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../tests/kit/free-port.ts'
import { makeDir, removeDir } from '../../tests/kit/temp-dir.ts'
import { playPast } from './past.ts'
import { demoConfig, Present } from './present.ts'
import { demoTasks } from './tasks.ts'
import { WORKFLOWS } from './workflows.ts'

// an hour less a moment: younger than the youngest task that the demo makes on the way
const DAYS = 0.04

it('is a past that the reckoner finds nothing wrong with, on which a server goes on', async () => {
  const dataDir = makeDir()
  onTestFinished(() => removeDir(dataDir))
  const config = demoConfig(dataDir, await freePort())
  const played = await playPast({ config, url: `http://127.0.0.1:${String(config.port)}`, days: DAYS })
  expect(played.findings).toBe(0)
  expect(played.firings).toBeGreaterThan(0)
  expect(played.runs).toBeGreaterThan(0)

  const present = await Present.begin(config)
  onTestFinished(() => present.stop())
  const api = await present.signIn('han.meimei')
  const { items } = await api.get<{ items: Task[] }>('/task?pageSize=100')
  const old = demoTasks(present.url).filter(({ daysOld }) => daysOld === undefined)
  expect(new Set(items.map(({ name }) => name))).toEqual(new Set(old.map(({ task }) => task.name)))
  expect((await api.get<{ total: number }>('/workflow')).total).toBe(WORKFLOWS.length)
  const { items: running } = await api.get<{ items: Instance[] }>('/instance?state=dispatched,running')
  expect(running.length).toBeGreaterThan(0)
  const from = new Date(Date.now() - 3_600_000).toISOString()
  const { total } = await api.get<Completeness>(`/completeness?from=${from}`)
  expect(total).toMatchObject({ missing: 0, doubled: 0 })
})
