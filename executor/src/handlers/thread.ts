/**
 * Runs an exported function of a module on a worker thread, so that work that computes does not block the executor. Two channels:
 * piscina's own for the task, and a port of ours for lines, progress and the abort. When the signal is aborted, the function gets the kill
 * grace to end; then its thread is ended, whatever it does.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { LOG_LEVELS, type LogLevel } from '@tickwheel/contract'
import { runFacts, type RunFacts } from '../run/run-facts.ts'
import type { TaskHandler, Work } from './handler.ts'
import type { ParamsReader } from './params.ts'

/** What the thread is told. */
export interface ThreadTask {
  readonly moduleUrl: string
  readonly exportName: string
  readonly port: MessagePort
  readonly run: RunFacts
}

/** What the thread says; `end` is always its last word. */
export type ThreadMessage =
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string }
  | { readonly kind: 'progress'; readonly value: number; readonly text: string }
  | { readonly kind: 'end' }

/** The threads of one executor; they start when first used and end after 30 s without work. */
export class Threads {
  readonly #maxThreads: number
  #pool: Piscina<ThreadTask, unknown> | null = null

  constructor(maxThreads: number) {
    this.#maxThreads = maxThreads
  }

  run(task: ThreadTask, signal: AbortSignal): Promise<unknown> {
    this.#pool ??= new Piscina<ThreadTask, unknown>({
      filename: workerFile(),
      minThreads: 0,
      maxThreads: this.#maxThreads,
      idleTimeout: 30_000,
    })
    return this.#pool.run(task, { transferList: [task.port], signal })
  }

  async close(): Promise<void> {
    await this.#pool?.destroy()
    this.#pool = null
  }
}

export interface ThreadTarget {
  readonly name: string
  readonly moduleUrl: string
  readonly exportName: string
  readonly params?: ParamsReader | undefined
}

export function threadHandler(target: ThreadTarget, threads: Threads): TaskHandler {
  return { slot: `named:${target.name}`, endsItself: true, run: (work) => runOnThread(target, threads, work) }
}

async function runOnThread(target: ThreadTarget, threads: Threads, work: Work): Promise<unknown> {
  const { dispatch } = work
  const run = runFacts(dispatch, target.params === undefined ? dispatch.params : target.params.read(dispatch.params))
  const { port1: ours, port2: theirs } = new MessageChannel()
  const ended = listen(ours, work)
  const kill = new AbortController()
  const abort = abortAfterGrace(ours, kill, work)
  try {
    const result = await threads.run({ moduleUrl: target.moduleUrl, exportName: target.exportName, port: theirs, run }, kill.signal)
    await ended
    return result
  } finally {
    abort.forget()
    ours.close()
  }
}

/** Resolves with the last word of the thread, or when its port closes. */
function listen(port: MessagePort, work: Work): Promise<void> {
  return new Promise((resolve) => {
    port.once('close', resolve)
    port.on('message', (message: unknown) => {
      if (!isThreadMessage(message)) return
      switch (message.kind) {
        case 'log':
          return work.log.write('log', message.level, message.text)
        case 'progress':
          return work.progress(message.value, message.text)
        case 'end':
          return resolve()
      }
    })
  })
}

function abortAfterGrace(port: MessagePort, kill: AbortController, work: Work): { forget(): void } {
  let timer: NodeJS.Timeout | null = null
  const abort = (): void => {
    port.postMessage({ kind: 'abort', reason: String(work.signal.reason) })
    timer = setTimeout(() => kill.abort(), work.dispatch.killGraceMs)
  }
  if (work.signal.aborted) abort()
  else work.signal.addEventListener('abort', abort, { once: true })
  return {
    forget: () => {
      work.signal.removeEventListener('abort', abort)
      if (timer !== null) clearTimeout(timer)
    },
  }
}

function isThreadMessage(value: unknown): value is ThreadMessage {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  if (value.kind === 'end') return true
  if (!('text' in value) || typeof value.text !== 'string') return false
  if (value.kind === 'log') return 'level' in value && LOG_LEVELS.some((level) => level === value.level)
  return value.kind === 'progress' && 'value' in value && typeof value.value === 'number'
}

/** Node.js runs the TypeScript source as it is when this file is the source, too. */
function workerFile(): string {
  return new URL(import.meta.url.endsWith('.ts') ? './thread-worker.ts' : './thread-worker.js', import.meta.url).href
}
