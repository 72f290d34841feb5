import { join } from 'node:path'
import type { Program } from './program.ts'
import { waitFor } from './wait-for.ts'

/**
 * What a program holds is what is left after a collection. Resident memory alone cannot tell it: V8 leaves 100 MiB and more of garbage when much
 * passes through, or nearly none, from run to run of the same work. So the garbage of a program started with this environment is collected
 * all the time (`fixtures/held-memory.ts`).
 */
export const COLLECTED_ALL_THE_TIME = {
  NODE_OPTIONS: `--expose-gc --import ${join(import.meta.dirname, '..', 'fixtures', 'held-memory.ts')}`,
} as const

/** The most bytes that a program held since it was asked the last time: heap and buffers. */
export async function heldAtMost(program: Program): Promise<number> {
  const heard = program.output.length
  process.kill(program.pid, 'SIGUSR2')
  const bytes = await waitFor(() => /held at most (\d+) bytes\n/.exec(program.output.slice(heard))?.[1], {
    what: 'the figure of held-memory.ts',
  })
  return Number(bytes)
}
