/** Runs inside a worker thread: see thread.ts. Imports types only, so that the source runs as it is. */
import type { ThreadMessage, ThreadTask } from './thread.ts'

export default async function runTask(task: ThreadTask): Promise<unknown> {
  const abort = new AbortController()
  task.port.on('message', () => abort.abort(new Error('the run was stopped')))
  const say = (message: ThreadMessage): void => task.port.postMessage(message)
  try {
    const run = await exportedFunction(task)
    return await run({
      ...task.run,
      signal: abort.signal,
      log: logOf(say),
      progress: (value: number, text = '') => say({ kind: 'progress', value, text }),
      map: () =>
        Promise.reject(
          Object.assign(new Error('run.map works in this process only: split with handle, and let its work compute'), {
            code: 'MAP_UNSUPPORTED',
          }),
        ),
    })
  } finally {
    say({ kind: 'end' })
    task.port.unref()
  }
}

async function exportedFunction(task: ThreadTask): Promise<(run: unknown) => unknown> {
  const loaded: unknown = await import(task.moduleUrl)
  const found: unknown = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, task.exportName) : undefined
  if (typeof found !== 'function') throw new TypeError(`${task.moduleUrl} exports no function named ${task.exportName}`)
  return (run): unknown => Reflect.apply(found, undefined, [run])
}

function logOf(say: (message: ThreadMessage) => void): Record<string, (text: unknown) => void> {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (text: unknown) => say({ kind: 'log', level, text: String(text) })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
