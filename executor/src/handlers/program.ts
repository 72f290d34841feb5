import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FRAME_LIMITS } from '@tickwheel/contract'
import { RunFailure } from '../run/run.ts'
import type { Spool } from '../spool/spool.ts'
import { callOf } from './child-environment.ts'
import { runChild, type ChildEnd } from './child-process.ts'
import type { Work } from './handler.ts'

/** What the executor's configuration says about child processes. */
export interface ProgramSettings {
  readonly workDir: string
  readonly envAllow: readonly string[]
  readonly leftoverGraceMs: number
  readonly spool: Spool
}

/** A text and what interprets it. */
export interface Program {
  readonly command: string
  readonly options: readonly string[]
  readonly fileName: string
  readonly source: string
}

/**
 * Writes the program into a folder of its own, runs it and reads its result file (absent or empty: null).
 * Throws RunFailure: SPAWN_FAILED, EXIT_CODE, KILLED_BY_SIGNAL, RESULT_TOO_LARGE, RESULT_NOT_JSON.
 */
export async function runProgram(program: Program, work: Work, settings: ProgramSettings): Promise<unknown> {
  const { dispatch } = work
  const folder = join(settings.spool.scratch, `${String(dispatch.instanceId)}-${String(dispatch.attempt)}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const file = join(folder, program.fileName)
    writeFileSync(file, program.source)
    const call = callOf(dispatch, folder, settings.envAllow)
    const end = await runChild({
      command: program.command,
      args: [...program.options, file, ...call.args],
      cwd: settings.workDir,
      env: call.env,
      log: work.log,
      signal: work.signal,
      killGraceMs: dispatch.killGraceMs,
      leftoverGraceMs: settings.leftoverGraceMs,
      spool: settings.spool,
    })
    assertSuccess(end)
    return readResult(call.resultFile)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function assertSuccess(end: ChildEnd): void {
  if (end.code === 0) return
  const last = end.lastErrorLine === '' ? '' : `: ${end.lastErrorLine}`
  if (end.killedBy !== null) throw new RunFailure('KILLED_BY_SIGNAL', `killed by ${end.killedBy}${last}`)
  throw new RunFailure('EXIT_CODE', `exit code ${String(end.code)}${last}`)
}

function readResult(file: string): unknown {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return null
  if (size > FRAME_LIMITS.resultBytes)
    throw new RunFailure(
      'RESULT_TOO_LARGE',
      `the result file has ${String(size)} bytes; at most ${String(FRAME_LIMITS.resultBytes)} are kept`,
    )
  const text = readFileSync(file, 'utf8').trim()
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new RunFailure('RESULT_NOT_JSON', `the result file is not JSON; it begins with ${JSON.stringify(text.slice(0, 80))}`)
  }
}
