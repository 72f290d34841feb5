type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** What the adapters need of the server's log. */
export interface RedisLog {
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}
