import { randomBytes } from 'node:crypto'
import { Sealed } from '../auth/sealed.ts'
import { deriveKey, sign } from '../auth/secret.ts'
import type { SealedColumns } from '../store/schema.ts'

const DATA_KEY_BYTES = 32
const KEY_ID_CHARS = 12

/**
 * Seals secrets in two steps: a value with a data key of its own, and that one with a key of the configuration, each AES-256-GCM and bound to the id of the
 * secret, so that no row can stand for another. Another key of the configuration means to seal data keys again, and no value.
 */
export class Vault {
  readonly currentId: string
  readonly #current: string
  readonly #byId: ReadonlyMap<string, string>

  /** `previous`: keys that open and do not seal. The texts may be of any length: keys are derived of them. */
  constructor(current: string, previous: readonly string[]) {
    this.#current = current
    this.currentId = keyIdOf(current)
    this.#byId = new Map([...previous, current].map((key) => [keyIdOf(key), key]))
  }

  isKnown(keyId: string): boolean {
    return this.#byId.has(keyId)
  }

  seal(secretId: number, value: string): SealedColumns {
    const dataKey = randomBytes(DATA_KEY_BYTES).toString('base64url')
    return {
      sealed: valueSeal(dataKey, secretId).seal(value),
      data_key: keySeal(this.#current, secretId).seal(dataKey),
      key_id: this.currentId,
    }
  }

  /** null: it was sealed with a key that is not at hand, or for another secret. */
  open(secretId: number, { sealed, data_key, key_id }: SealedColumns): string | null {
    const dataKey = this.#openKey(secretId, { data_key, key_id })
    return dataKey === null ? null : valueSeal(dataKey, secretId).open(sealed)
  }

  /** The data key, sealed with the present key; null: it cannot be opened. */
  reseal(secretId: number, row: Pick<SealedColumns, 'data_key' | 'key_id'>): Pick<SealedColumns, 'data_key' | 'key_id'> | null {
    const dataKey = this.#openKey(secretId, row)
    return dataKey === null ? null : { data_key: keySeal(this.#current, secretId).seal(dataKey), key_id: this.currentId }
  }

  #openKey(secretId: number, { data_key, key_id }: Pick<SealedColumns, 'data_key' | 'key_id'>): string | null {
    const key = this.#byId.get(key_id)
    return key === undefined ? null : keySeal(key, secretId).open(data_key)
  }
}

/** What a key is called in the store: it says nothing of the key. */
function keyIdOf(key: string): string {
  return sign(deriveKey(key, 'name of a key of secrets'), 'id').slice(0, KEY_ID_CHARS)
}

function keySeal(key: string, secretId: number): Sealed {
  return new Sealed(key, `data key of secret ${secretId}`)
}

function valueSeal(dataKey: string, secretId: number): Sealed {
  return new Sealed(dataKey, `value of secret ${secretId}`)
}
