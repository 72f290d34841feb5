import { AppError, type Dispatch } from '@tickwheel/contract'
import { Masker, REASON } from '@tickwheel/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { addGroup, changeAt, memoryStore, T0 } from '../store/store.fixture.ts'
import { createSecret, deleteSecret } from '../store/secrets.ts'
import { createVariable } from '../store/variables.ts'
import type { Session } from '../link/link.ts'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { keyOfReference, type ReferenceBook } from './reference-book.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

/** Values by `secrets.NAME`; what a test takes away is gone. */
class FakeBook implements ReferenceBook {
  readonly values = new Map([
    ['secrets.PW', 'hunter2-hunter2'],
    ['vars.HOST', 'db'],
  ])
  isSealed = false
  refreshed = 0

  resolve: ReferenceBook['resolve'] = async (_groupId, references) => {
    const unknown = references.map(keyOfReference).filter((key) => !this.values.has(key))
    if (unknown.length > 0) return { kind: 'unknown', names: unknown }
    const secrets = references
      .filter(({ kind }) => kind === 'secrets')
      .map((one) => ({ id: 1, value: this.values.get(keyOfReference(one)) ?? '' }))
    return { kind: 'values', values: this.values, secrets }
  }
  maskerOf: ReferenceBook['maskerOf'] = async () => (this.isSealed ? null : new Masker([...this.values.values()]))
  refresh(): void {
    this.refreshed += 1
  }
}

const PARAMS = '{"pw":"${{ secrets.PW }}","host":"${{ vars.HOST }}"}'
let book: FakeBook
let world: World
let worker: Session
let secretId: number

/** Two engines may stand on one store: what one has sent, the other has not heard of. */
async function open(on?: Parameters<typeof World.create>[0]): Promise<World> {
  return World.create({ references: book, ...on })
}

beforeEach(async () => {
  book = new FakeBook()
  const clock = new ManualClock(T0)
  const db = await memoryStore()
  await addGroup(db, 1)
  world = await open({ on: { db, clock, cluster: memoryCluster(() => clock.monotonic()) } })
  secretId = await createSecret(db, { groupId: 1, name: 'PW' }, () => ({ sealed: 's', data_key: 'd', key_id: 'k' }), changeAt(T0))
  await createVariable(db, { groupId: null, name: 'HOST', value: 'db' }, changeAt(T0))
  worker = await world.executor()
})

async function task(more: object = {}): Promise<number> {
  const input = {
    groupId: 1,
    name: 'refers',
    schedule: { kind: 'manual' as const },
    handler: { kind: 'named' as const, name: 'named' },
    params: PARAMS,
    ...more,
  }
  return (await world.engine.createTask(input, ALL, ALICE, ALL)).taskId
}

async function run(taskId: number, params?: string): Promise<Dispatch> {
  await world.engine.trigger(taskId, { ...(params === undefined ? {} : { params }), mayRefer: ALL }, null, ALL, ALICE)
  await world.settled()
  const sent = world.link.dispatches().at(-1)
  if (sent === undefined) throw new Error('nothing was sent')
  return sent
}

const stored = async (): Promise<string> =>
  JSON.stringify([await world.open(), await world.ended(), await world.db.read((tx) => tx.all('SELECT * FROM payload'))])

describe('a run that refers to a secret', () => {
  it('is sent with its values, and nothing of them is in the store', async () => {
    const sent = await run(await task())
    expect([sent.params, sent.secrets]).toEqual(['{"pw":"hunter2-hunter2","host":"db"}', ['hunter2-hunter2']])
    expect(await stored()).not.toContain('hunter2')
  })

  it('fails with the reason when the name has vanished, and is tried again as its task says', async () => {
    const taskId = await task({ retry: { max: 1, delayMs: 1_000 } })
    book.values.delete('secrets.PW')
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    expect((await world.open())[0]?.trace).toContain(String(REASON.referenceUnknown))
    book.values.set('secrets.PW', 'is back again')
    await world.pass(3_000)
    expect(world.link.dispatches().at(-1)).toMatchObject({ attempt: 2, secrets: ['is back again'] })
  })

  it('is masked after a restart as well, and at another node: it follows from what it refers to', async () => {
    for (const params of [undefined, '{"own":"${{ secrets.PW }}"}']) {
      const sent = await run(await task({ name: `refers ${String(params)}` }), params)
      await world.accept(worker, sent)
      const { db, clock } = world
      await world.engine.stop()
      world = await open({ on: { db, clock, cluster: memoryCluster(() => clock.monotonic()) } })
      await world.join(worker)
      expect(await world.finish(worker, sent, { result: { said: 'hunter2-hunter2!' } })).toBe('done')
      expect((await world.ended()).at(-1)?.result).toBe('{"said":"***!"}')
    }
    expect(book.refreshed).toBeGreaterThan(0)
  })

  it('waits with all that it says while its secret cannot be opened here, and loses nothing', async () => {
    const sent = await run(await task())
    await world.accept(worker, sent)
    book.isSealed = true
    const log = {
      type: 'log',
      instanceId: sent.instanceId,
      attempt: sent.attempt,
      firstSeq: 1,
      lines: [[T0, 0, 1, 'hunter2-hunter2']],
    } as const
    expect(await world.say(worker, { ...log, lines: [[T0, 0, 1, 'hunter2-hunter2']] })).toBeNull()
    expect(await world.finish(worker, sent, { result: 'hunter2-hunter2' })).toBeNull()
    book.isSealed = false
    expect(await world.say(worker, { ...log, lines: [[T0, 0, 1, 'hunter2-hunter2']] })).toBe('done')
    expect(await world.finish(worker, sent, { result: 'hunter2-hunter2' })).toBe('done')
    expect((await world.ended())[0]?.result).toBe('"***"')
  })

  it('with more text than is sent fails at once', async () => {
    const taskId = await task({ params: '${{ secrets.PW }}'.repeat(5) })
    book.values.set('secrets.PW', 'x'.repeat(60_000))
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    expect((await world.ended())[0]).toMatchObject({ error_code: 'REFERENCES_TOO_LARGE' })
  })

  it('is masked in progress, refusals and what it splits off', async () => {
    const sent = await run(await task())
    const { instanceId, attempt } = sent
    await world.accept(worker, sent)
    await world.say(worker, { type: 'progress', instanceId, attempt, at: T0, value: 0.5, text: 'at hunter2-hunter2' })
    expect((await world.open())[0]?.progress).toBe('[0.5,"at ***"]')
    expect(await stored()).not.toContain('hunter2')
  })
})

describe('who may not see the names of secrets', () => {
  it('may not refer to them, in a task or in params of a run', async () => {
    const input = { groupId: 1, name: 'x', schedule: { kind: 'manual' as const }, handler: { kind: 'named' as const, name: 'named' } }
    await expect(world.engine.createTask({ ...input, params: PARAMS }, ALL, ALICE)).rejects.toThrow('there is no secret PW')
    const { taskId } = await world.engine.createTask({ ...input, params: '${{ vars.HOST }}' }, ALL, ALICE)
    await expect(world.engine.trigger(taskId, { params: PARAMS }, null, ALL, ALICE)).rejects.toThrow(AppError)
    await deleteSecret(world.db, secretId, changeAt(T0))
  })
})
