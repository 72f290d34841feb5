import { readFileSync } from 'node:fs'
import type { Program } from '../tests/kit/program.ts'

/** CPU of some processes from now on, ms (from /proc; NaN elsewhere). */
export function cpuOf(programs: readonly Program[]): () => number {
  const read = (): number => programs.reduce((sum, program) => sum + ticks(program.pid) * 10, 0)
  const before = read()
  return () => read() - before
}

function ticks(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return NaN
  }
}
