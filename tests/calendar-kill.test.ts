/* A change of a calendar with many followers, while the server is killed (kill -9) at random instants: every follower comes to the new rules, once. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Calendar, CalendarRules, Task } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../server/src/store/dialect/sqlite.ts'
import type { ScheduleSpanRow } from '../server/src/store/schema.ts'
import { Chance } from './kit/chance.ts'
import { freePort } from './kit/free-port.ts'
import { GENEROUS_BUDGETS, homeGroup } from './kit/runs.ts'
import { ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const SEED = Number(process.env['TICKWHEEL_TEST_SEED'] ?? Date.now() % 1_000_000)
const FOLLOWERS = 400
const KILLS = 3
const OPEN: CalendarRules = { weekend: [], days: [], blackouts: [] }
const CLOSED: CalendarRules = { ...OPEN, days: [{ from: '2020-01-01', to: '2098-12-31', kind: 'off', name: 'closed' }] }

it(`is carried to every follower, however often the server is killed (seed ${String(SEED)})`, { timeout: 120_000 }, async () => {
  const chance = new Chance(SEED)
  const [dataDir, port] = [tempDir(), await freePort()]
  const start = async (): Promise<ServerProcess> => {
    const server = new ServerProcess({ command: 'server', dataDir, port, env: { ...GENEROUS_BUDGETS, TICKWHEEL_LOG_LEVEL: 'warn' } })
    await server.ready()
    return server
  }
  let server = await start()
  onTestFinished(async () => void (await server.program.kill()))
  const admin = await server.signIn()
  const groupId = await homeGroup(admin)
  const { id } = await admin.post<Calendar>('/calendar', { groupId, name: 'works', rules: OPEN })
  const schedule = { kind: 'fixedRate', everyMs: 3_600_000, calendarId: id }
  const make = async (n: number): Promise<Task> =>
    admin.post<Task>('/task', { groupId, name: `task ${String(n)}`, schedule, handler: { kind: 'shell', script: 'true' }, enabled: true })
  const tasks = await Promise.all(Array.from({ length: FOLLOWERS }, (_none, n) => make(n)))
  await admin.call('PUT', `/calendar/${String(id)}`, { name: 'works', rules: CLOSED, version: 1 })
  for (let kill = 0; kill < KILLS; kill += 1) {
    await pause(chance.between(0, 150))
    await server.program.kill()
    server = await start()
  }
  const calendar = await waitFor(
    async () => {
      const now = await admin.get<Calendar>(`/calendar/${String(id)}`)
      return now.applying === 0 ? now : null
    },
    { what: 'the end of the carrying', timeoutMs: 60_000 },
  )
  expect(calendar).toMatchObject({ version: 2, useCount: FOLLOWERS })
  const some = tasks[chance.between(0, FOLLOWERS - 1)]
  expect((await admin.get<Task>(`/task/${String(some?.id)}`)).nextFireAt).toMatch(/^209[89]-/)
  await server.program.kill()
  const db = openSqlite({ path: `${dataDir}/tickwheel.db`, now: () => Date.now() })
  const spans = await db.read((tx) => tx.all<ScheduleSpanRow>('SELECT * FROM schedule_span ORDER BY series_id, from_at'))
  await db.close()
  const bySeries = [...Map.groupBy(spans, (span) => span.series_id).values()]
  expect(bySeries.map((of) => of.map((span) => span.calendar_version).join())).toEqual(new Array(FOLLOWERS).fill('1,2'))
  expect(bySeries.every(([first, second]) => first?.to_at === second?.from_at && first?.anchor_at === second?.anchor_at)).toBe(true)
})
