/** Values that several nodes read often and that a store read can always give again. Never the truth: a miss is always right. */
export interface Cache {
  /** null: not there, ended, or the cache is away. */
  get(key: string): Promise<string | null>
  /** Kept `ttlMs` at most. While the cache is away nothing is kept. */
  put(key: string, value: string, ttlMs: number): Promise<void>
  drop(keys: readonly string[]): Promise<void>
}
