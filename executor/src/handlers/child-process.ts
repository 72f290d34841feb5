/**
 * Runs a program as the leader of a process group of its own and ends the whole group with it.
 *
 * The child is started through a shell that waits for a line on descriptor 3 before it becomes the program. So the group is on disk before the
 * program's first instruction, and when the executor dies in between, the shell reads the end of the file and leaves.
 *
 *   signal aborted   SIGTERM to the group, `killGraceMs` later SIGKILL
 *   leader ended     what is left of the group: SIGTERM, up to 5 s later SIGKILL. Only then is the run over
 *   group gone       the pipes are read to their end; a process that left the group and still holds one does not keep the run open, and is
 *                    told of in the log: it may be a daemon that was meant to stay
 */
import { randomUUID } from 'node:crypto'
import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { LogStream } from '@tickwheel/contract'
import type { AttemptLog } from '../log/attempt-log.ts'
import { LineSplitter } from '../log/line-splitter.ts'
import { messageOf } from '../logger.ts'
import { RunFailure } from '../run/run.ts'
import { identityOf } from '../spool/process-identity.ts'
import type { Spool } from '../spool/spool.ts'
import { endGroup, signalGroup } from './process-group.ts'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly log: AttemptLog
  readonly signal: AbortSignal
  readonly killGraceMs: number
  readonly leftoverGraceMs: number
  readonly spool: Spool
}

export interface ChildEnd {
  readonly code: number | null
  readonly killedBy: NodeJS.Signals | null
  readonly lastErrorLine: string
}

/** Stands in the environment of every process of the group, so that a later start knows them for ours. */
export const MARKER_VARIABLE = 'TICKWHEEL_GROUP'

const GATE = 'IFS= read -r go <&3 || exit 125; exec 3<&-; exec "$@"'
const SILENT_MS = 1_000
/** a pipe holds 64 KiB: what still comes so long after the group is gone, another process prints */
const READ_ON_MS = 5_000
const HELD_LINE =
  'A process that left the group of this run still holds its output: it goes on by itself, and what it prints from here on is not kept.'

/** Throws RunFailure('SPAWN_FAILED') when there is no child at all. */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const marker = randomUUID()
  const child = start(options, marker)
  const exit = exitOf(child)
  const errors = { last: '' }
  const outputs = [follow(child.stdout, 'stdout', options.log, null), follow(child.stderr, 'stderr', options.log, errors)]
  const group = child.pid
  if (group === undefined) throw (await exit).failure ?? new RunFailure('SPAWN_FAILED', 'the child did not start')
  noteGroup(group, marker, options.spool)
  openGate(child)
  const stopper = stopOnAbort(group, options)
  const end = await exit
  stopper.leaderEnded()
  await endLeftovers(group, options)
  stopper.groupEnded()
  const ends = await Promise.all(outputs.map((output) => output.finished()))
  if (ends.includes('held')) options.log.write('system', 'warn', HELD_LINE)
  options.spool.forgetGroup(group)
  if (end.failure !== null) throw end.failure
  return { code: end.code, killedBy: end.killedBy, lastErrorLine: errors.last }
}

function start(options: ChildOptions, marker: string): ChildProcess {
  try {
    return spawn('/bin/sh', ['-c', GATE, 'tickwheel', options.command, ...options.args], {
      cwd: options.cwd,
      env: { ...options.env, [MARKER_VARIABLE]: marker },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    })
  } catch (thrown) {
    throw new RunFailure('SPAWN_FAILED', messageOf(thrown))
  }
}

/** A group that cannot be written down must not run. */
function noteGroup(group: number, marker: string, spool: Spool): void {
  try {
    spool.noteGroup({ group, identity: identityOf(group), marker })
  } catch (thrown) {
    signalGroup(group, 'SIGKILL')
    throw new RunFailure('SPAWN_FAILED', `the spool cannot be written: ${messageOf(thrown)}`)
  }
}

interface Exit {
  readonly code: number | null
  readonly killedBy: NodeJS.Signals | null
  readonly failure: RunFailure | null
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, killedBy: null, failure: new RunFailure('SPAWN_FAILED', error.message) }))
    child.once('exit', (code, killedBy) => resolve({ code, killedBy, failure: null }))
  })
}

function openGate(child: ChildProcess): void {
  const gate = child.stdio[3]
  if (!(gate instanceof Socket)) return
  // the child may have been killed already
  gate.on('error', () => undefined)
  gate.end('go\n')
  gate.resume()
}

interface Stopper {
  leaderEnded(): void
  groupEnded(): void
}

function stopOnAbort(group: number, options: ChildOptions): Stopper {
  let timer: NodeJS.Timeout | null = null
  const stop = (): void => {
    signalGroup(group, 'SIGTERM')
    timer = setTimeout(() => signalGroup(group, 'SIGKILL'), options.killGraceMs)
  }
  if (options.signal.aborted) stop()
  else options.signal.addEventListener('abort', stop, { once: true })
  return {
    leaderEnded: () => options.signal.removeEventListener('abort', stop),
    groupEnded: () => {
      if (timer !== null) clearTimeout(timer)
    },
  }
}

async function endLeftovers(group: number, options: ChildOptions): Promise<void> {
  const left = await endGroup(group, Math.min(options.killGraceMs, options.leftoverGraceMs))
  if (left === 'left') options.log.write('system', 'error', `Processes of group ${String(group)} are still there after SIGKILL.`)
}

/** `held`: the stream stayed open although the group was gone */
type OutputEnd = 'closed' | 'held'

interface Output {
  /** Resolves at the end of the stream, or 1 s of silence (5 s in all) after the group is gone. */
  finished(): Promise<OutputEnd>
}

function follow(stream: Readable | null, name: LogStream, log: AttemptLog, errors: { last: string } | null): Output {
  if (stream === null) return { finished: () => Promise.resolve('closed') }
  const level = name === 'stderr' ? 'error' : 'info'
  const splitter = new LineSplitter((line) => {
    if (errors !== null && line.trim() !== '') errors.last = line
    log.line(name, level, line)
  })
  const state = { heardAt: 0, isPaused: false }
  stream.on('data', (bytes: Buffer) => {
    state.heardAt = performance.now()
    splitter.push(bytes)
    if (log.isCongested && !state.isPaused) void holdBack(stream, log, state)
  })
  stream.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => stream.once('close', resolve))
  return {
    finished: async () => {
      const end = await finish(stream, ended, state)
      splitter.end()
      return end
    },
  }
}

async function holdBack(stream: Readable, log: AttemptLog, state: { isPaused: boolean }): Promise<void> {
  state.isPaused = true
  stream.pause()
  await log.relieved()
  state.isPaused = false
  stream.resume()
}

async function finish(stream: Readable, ended: Promise<void>, state: { heardAt: number; isPaused: boolean }): Promise<OutputEnd> {
  let end: OutputEnd = 'closed'
  const since = performance.now()
  const watch = setInterval(() => {
    const now = performance.now()
    if (state.isPaused || (now - state.heardAt <= SILENT_MS && now - since <= READ_ON_MS)) return
    end = 'held'
    stream.destroy()
  }, 100)
  state.heardAt = since
  await ended
  clearInterval(watch)
  return end
}
