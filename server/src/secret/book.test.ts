import { beforeEach, describe, expect, it } from 'vitest'
import { CountingDatabase } from '../store/counting-database.fixture.ts'
import { createSecret, deleteSecret, getSecret, noteSecretUses, prunePastSecrets, resealSecrets, updateSecret } from '../store/secrets.ts'
import { addGroup, changeAt, memoryStore, T0 } from '../store/store.fixture.ts'
import { createVariable, updateVariable } from '../store/variables.ts'
import { SecretBook } from './book.ts'
import { rotateSecrets, sealedWarning, secretKeys } from './keys.ts'
import { Vault } from './vault.ts'

const KEY = 'the key of this installation, 32+'
const GROUP = 7

let db: CountingDatabase
let time: number
let vault: Vault
let book: SecretBook

beforeEach(async () => {
  db = new CountingDatabase(await memoryStore())
  await addGroup(db, GROUP)
  time = 0
  vault = new Vault(KEY, [])
  book = new SecretBook({ db, vault, monotonic: () => time })
})

const make = async (name: string, value: string, groupId: number | null = GROUP): Promise<number> =>
  createSecret(db, { groupId, name }, (id) => vault.seal(id, value), changeAt(T0))
const replace = async (secretId: number, value: string, version: number): Promise<void> =>
  updateSecret(db, { secretId, input: { version }, seal: (id) => vault.seal(id, value) }, changeAt(T0))
const secret = (name: string) => ({ kind: 'secrets', name }) as const
const masked = async (text: string): Promise<string | undefined> => (await book.maskerOf(GROUP, ['A']))?.text(text)

describe('SecretBook', () => {
  it("gives the group's own before that of all groups", async () => {
    await make('A', 'of all groups', null)
    expect(await book.resolve(GROUP, [secret('A')])).toMatchObject({ kind: 'values', secrets: [{ value: 'of all groups' }] })
    await make('A', 'of the group')
    book.refresh()
    expect(await book.resolve(GROUP, [secret('A')])).toMatchObject({ kind: 'values', secrets: [{ value: 'of the group' }] })
    expect(await masked('of the group, of all groups')).toBe('***, ***')
  })

  it('names what is not there', async () => {
    expect(await book.resolve(GROUP, [secret('A'), { kind: 'vars', name: 'B' }])).toEqual({
      kind: 'unknown',
      names: ['secrets.A', 'vars.B'],
    })
  })

  it('hides values that were replaced or deleted, until they are forgotten', async () => {
    const id = await make('A', 'first-value')
    await replace(id, 'second-value', 1)
    await deleteSecret(db, id, changeAt(T0))
    expect(await masked('first-value second-value')).toBe('*** ***')
    expect(await prunePastSecrets(db, T0 + 8 * 86_400_000)).toBe(2)
    time += 1_000_000
    await make('B', 'counts the revision')
    book.refresh()
    expect(await masked('first-value')).toBe('first-value')
  })

  it('reads the revision once a second while it is asked, and values only when it has changed', async () => {
    const id = await createVariable(db, { groupId: GROUP, name: 'V', value: 'one' }, changeAt(T0))
    const value = async (): Promise<string | undefined> => {
      const found = await book.resolve(GROUP, [{ kind: 'vars', name: 'V' }])
      return found.kind === 'values' ? found.values.get('vars.V') : undefined
    }
    await value()
    db.reads = 0
    for (let times = 0; times < 100; times += 1) expect(await value()).toBe('one')
    expect(db.reads).toBe(0)
    time = 1_000
    expect([await value(), db.reads]).toEqual(['one', 1])
    await updateVariable(db, id, { value: 'two', version: 1 }, changeAt(T0))
    time = 2_000
    expect([await value(), db.reads]).toEqual(['two', 3])
  })

  it('without the key gives nothing, and says that it cannot know what to hide', async () => {
    await make('A', 'sealed with another')
    const other = new SecretBook({ db, vault: new Vault('another key of at least 32 characters', []), monotonic: () => time })
    expect(await other.resolve(GROUP, [secret('A')])).toEqual({ kind: 'sealed', names: ['secrets.A'] })
    expect(await other.maskerOf(GROUP, ['A'])).toBeNull()
  })
})

describe('keys', () => {
  it('seal data keys anew in bounded steps, values of the past as well, and leave values alone', async () => {
    const ids: number[] = []
    for (let count = 0; count < 120; count += 1) ids.push(await make(`S${count}`, `value ${count}`))
    await replace(ids[0] ?? 0, 'replaced', 1)
    const next = new Vault('the next key, which has enough chars', [KEY])
    const steps = [
      await rotateSecrets(db, next, changeAt(T0)),
      await rotateSecrets(db, next, changeAt(T0)),
      await rotateSecrets(db, next, changeAt(T0)),
    ]
    expect(steps).toEqual([
      { resealed: 101, left: 20, unknown: 0 },
      { resealed: 20, left: 0, unknown: 0 },
      { resealed: 0, left: 0, unknown: 0 },
    ])
    expect(await secretKeys(db, next)).toEqual({ current: next.currentId, keys: [{ id: next.currentId, secrets: 121, isKnown: true }] })
    const alone = new SecretBook({ db, vault: new Vault('the next key, which has enough chars', []), monotonic: () => 0 })
    expect(await alone.resolve(GROUP, [secret('S119')])).toMatchObject({ secrets: [{ value: 'value 119' }] })
  })

  it('tell at the start what cannot be opened, and how to', async () => {
    await make('A', 'sealed')
    expect(await sealedWarning(db, vault)).toBeNull()
    expect(await sealedWarning(db, new Vault('another key of at least 32 characters', []))).toContain('TICKWHEEL_SECRETS_PREVIOUS_KEYS')
  })

  it('of one secret do not open another: a row that was copied over stays closed', () => {
    const row = vault.seal(1, 'of secret one')
    expect([vault.open(1, row), vault.open(2, row)]).toEqual(['of secret one', null])
  })

  it('are not guessed: a row with a name that is not known stays as it is', async () => {
    await make('A', 'sealed')
    expect(await resealSecrets(db, ['unknown'], ({ data_key, key_id }) => ({ data_key, key_id }), changeAt(T0))).toBe(0)
  })
})

describe('the last use', () => {
  it('is noted, and stands in the audit log where it should', async () => {
    const id = await make('A', 'is used')
    await noteSecretUses(
      db,
      [
        { secretId: id, taskId: 5, groupId: GROUP, auditId: 900 },
        { secretId: id, taskId: 6, groupId: GROUP, auditId: null },
      ],
      T0 + 5,
    )
    expect((await getSecret(db, 'all', id, () => true)).lastUsedAt).toBe(new Date(T0 + 5).toISOString())
    const rows = await db.read((tx) => tx.all("SELECT resource_key, after FROM audit WHERE action = 'secret:use'"))
    expect(rows).toEqual([{ resource_key: 'group 7/A', after: '{"taskId":5}' }])
  })
})
