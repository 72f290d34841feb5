import type { SecretKeys, SecretRotation } from '@tickwheel/contract'
import type { Change } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import { countByKey, resealSecrets } from '../store/secrets.ts'
import type { Vault } from './vault.ts'

/** Which keys have sealed how many secrets, with values that they had. */
export async function secretKeys(db: Database, vault: Vault): Promise<SecretKeys> {
  const counted = await countByKey(db)
  const keys = counted.map(({ keyId, secrets }) => ({ id: keyId, secrets, isKnown: vault.isKnown(keyId) }))
  return { current: vault.currentId, keys }
}

/** One bounded step of a rotation. */
export async function rotateSecrets(db: Database, vault: Vault, change: Change): Promise<SecretRotation> {
  const before = await secretKeys(db, vault)
  const old = before.keys.filter(({ id, isKnown }) => isKnown && id !== vault.currentId).map(({ id }) => id)
  const resealed = await resealSecrets(
    db,
    old,
    ({ secretId, ...row }) => {
      const key = vault.reseal(secretId, row)
      // it names a key that is at hand, and was not sealed with it: the row is damaged
      if (key === null) throw new Error(`the data key of secret ${secretId} cannot be opened with the key ${row.key_id} that it names`)
      return key
    },
    change,
  )
  const sum = (isCounted: (key: SecretKeys['keys'][number]) => boolean, keys: SecretKeys['keys']): number =>
    keys.filter(isCounted).reduce((all, { secrets }) => all + secrets, 0)
  const after = resealed === 0 ? before : await secretKeys(db, vault)
  return {
    resealed,
    left: sum(({ id, isKnown }) => isKnown && id !== vault.currentId, after.keys),
    unknown: sum(({ isKnown }) => !isKnown, after.keys),
  }
}

/** What a person must know when the server starts on secrets that it cannot open; null: it can open all. */
export async function sealedWarning(db: Database, vault: Vault): Promise<string | null> {
  const lost = (await secretKeys(db, vault)).keys.filter(({ isKnown }) => !isKnown)
  if (lost.length === 0) return null
  const count = lost.reduce((sum, { secrets }) => sum + secrets, 0)
  return (
    `${count} secrets are sealed with a key that this server was not given (${lost.map(({ id }) => id).join(', ')}): runs that need them fail with SECRET_SEALED. ` +
    'Put the earlier value of secrets.key, or of secret where no key was set, into secrets.previousKeys (TICKWHEEL_SECRETS_PREVIOUS_KEYS) and start again. Nothing is lost.'
  )
}
