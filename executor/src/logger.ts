/** Where the executor writes about itself (never the lines of tasks). The shape of pino, so a pino logger can be given as it is. */
export interface ExecutorLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void
  info(facts: Readonly<Record<string, unknown>>, message: string): void
  warn(facts: Readonly<Record<string, unknown>>, message: string): void
  error(facts: Readonly<Record<string, unknown>>, message: string): void
}

/** The default: warnings and errors on stderr, one line each. */
export const stderrLogger: ExecutorLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (facts, message) => writeLine('warn', facts, message),
  error: (facts, message) => writeLine('error', facts, message),
}

function writeLine(level: string, facts: Readonly<Record<string, unknown>>, message: string): void {
  process.stderr.write(`tickwheel executor ${level}: ${message} ${JSON.stringify(facts)}\n`)
}

/** What there is to say of a thrown value, in one line. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message}` : ''
  return `${thrown.message}${cause}`
}
