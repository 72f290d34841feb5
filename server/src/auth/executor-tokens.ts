import { deriveKey, sameText, sign } from './secret.ts'

export interface ExecutorSession {
  readonly executorId: number
  readonly bootId: number
}

/**
 * Tokens of registered executors, `tws_<executor>.<boot>.<mac>`: derived from the secret, so that nothing is stored and every node can check them.
 * Whether the boot is still the newest is asked of the store by whoever takes the call.
 */
export class ExecutorSessionTokens {
  readonly #key: Buffer

  constructor(secret: string) {
    this.#key = deriveKey(secret, 'executor session')
  }

  issue({ executorId, bootId }: ExecutorSession): string {
    const body = `${executorId}.${bootId}`
    return `tws_${body}.${sign(this.#key, body)}`
  }

  /** Whose token it is, or null when this installation did not issue it. */
  verify(token: string): ExecutorSession | null {
    const match = /^tws_(\d{1,16})\.(\d{1,16})\.([\w-]{43})$/.exec(token)
    const [, executorId, bootId, mac] = match ?? []
    if (executorId === undefined || bootId === undefined || mac === undefined) return null
    return sameText(mac, sign(this.#key, `${executorId}.${bootId}`)) ? { executorId: Number(executorId), bootId: Number(bootId) } : null
  }
}
