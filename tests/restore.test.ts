/* A backup that is put back under executors that know more than it: nothing fires until a person says how to go on. */
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterView, LedgerEntry } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../server/src/store/dialect/sqlite.ts'
import { floorOfInstant } from '../server/src/store/ids.ts'
import type { ApiClient } from './kit/api-client.ts'
import { startExecutor } from './kit/executor-process.ts'
import { freePort } from './kit/free-port.ts'
import { executorToken, GENEROUS_BUDGETS, inState, shellTask, trigger } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const TEN_MINUTES = 600_000

async function serve(dataDir: string, port: number): Promise<ServerProcess> {
  const server = await startServer({ command: 'server', dataDir, port, env: { ...GENEROUS_BUDGETS, TICKWHEEL_EMBEDDED_EXECUTOR: 'false' } })
  onTestFinished(async () => void (await server.program.kill()))
  return server
}

/** As a backup that was made ten minutes ago would be: no run id was given out since. */
async function makeOlder(path: string): Promise<void> {
  const db = openSqlite({ path, now: () => Date.now() })
  await db.write('rest', (tx) => tx.run("UPDATE id_block SET next_id = ? WHERE name = 'run'", [floorOfInstant(Date.now() - TEN_MINUTES)]))
  await db.close()
}

const view = (admin: ApiClient): Promise<ClusterView> => admin.get<ClusterView>('/cluster')
async function ledger(admin: ApiClient, taskId: number): Promise<LedgerEntry[]> {
  return (await admin.get<{ items: LedgerEntry[] }>(`/task/${String(taskId)}/firing?pageSize=100`)).items
}

it('a database file that was copied back: firing is held, and "from now" leaves out what was due', { timeout: 120_000 }, async () => {
  const [dataDir, port] = [tempDir(), await freePort()]
  const file = join(dataDir, 'tickwheel.db')
  // the run ends at the latest with the folder of the test
  const mark = join(dataDir, 'go on')
  writeFileSync(mark, '')
  const first = await serve(dataDir, port)
  const admin = await first.signIn()
  const task = await shellTask(admin, 'ticks', 'true', {
    schedule: { kind: 'fixedRate', everyMs: 1000 },
    overlap: { policy: 'parallel' },
    enabled: true,
  })
  const long = await shellTask(admin, 'long', `while [ -e '${mark}' ]; do sleep 0.2; done`)
  const token = await executorToken(admin)
  await first.program.stop()
  copyFileSync(file, `${file}.backup`)

  const second = await serve(dataDir, port)
  const later = await second.signIn()
  const executor = await startExecutor({ serverUrl: second.url, token })
  onTestFinished(async () => void (await executor.program.kill()))
  await inState(later, await trigger(later, long.id), 'running')
  await second.program.kill()
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  copyFileSync(`${file}.backup`, file)
  await makeOlder(file)

  const third = await serve(dataDir, port)
  const again = await third.signIn()
  const { held } = await waitFor(async () => {
    const seen = await view(again)
    return seen.held === null ? null : seen
  })
  expect(Date.parse(held?.seenAt ?? '') - Date.parse(held?.storeAt ?? '')).toBeGreaterThan(TEN_MINUTES / 2)
  const before = (await ledger(again, task.id)).filter((entry) => entry.kind === 'fired').length
  const since = Date.parse((await view(again)).now)
  await waitFor(async () => Date.parse((await view(again)).now) > since + 3000)
  expect((await ledger(again, task.id)).filter((entry) => entry.kind === 'fired').length).toBe(before)

  await again.post('/cluster/resume', { how: 'fromNow' })
  await waitFor(async () => (await ledger(again, task.id)).filter((entry) => entry.kind === 'fired').length > before)
  expect((await ledger(again, task.id)).some((entry) => entry.kind === 'skipped' && entry.reason === 'restored')).toBe(true)
  expect((await view(again)).held).toBeNull()
})
