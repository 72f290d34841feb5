import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deriveKey } from './secret.ts'

const IV_BYTES = 12
const TAG_BYTES = 16
const PREFIX = 's1.'

/**
 * Texts that the server must be able to say again, such as a token that it sends, and that a copy of the store alone must not give away: AES-256-GCM under
 * a key derived from the secret of the installation, for one purpose.
 */
export class Sealed {
  readonly #key: Buffer

  constructor(secret: string, purpose: string) {
    this.#key = deriveKey(secret, purpose)
  }

  seal(text: string): string {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv)
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return PREFIX + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
  }

  /** null: it was sealed with another secret, or for another purpose. */
  open(sealed: string): string | null {
    if (!sealed.startsWith(PREFIX)) return null
    const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
    if (bytes.length < IV_BYTES + TAG_BYTES) return null
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, IV_BYTES))
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
    } catch {
      return null
    }
  }
}
