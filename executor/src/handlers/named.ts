import type { LogLevel } from '@tickwheel/contract'
import { runFacts } from '../run/run-facts.ts'
import type { Run, RunFunction, RunLog } from '../run/run.ts'
import type { TaskHandler, Work } from './handler.ts'

/** Runs a function of the application in this process. */
export function namedHandler(name: string, run: RunFunction): TaskHandler {
  return { slot: `named:${name}`, endsItself: false, run: async (work) => run(runOf(work)) }
}

function runOf(work: Work): Run {
  return {
    ...runFacts(work.dispatch),
    signal: work.signal,
    log: logOf(work),
    progress: (value, text = '') => work.progress(value, text),
  }
}

/** Whatever it is given: applications in plain JavaScript log numbers and errors, too. */
function logOf(work: Work): RunLog {
  const at = (level: LogLevel) => (text: unknown) => work.log.write('log', level, String(text))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
