import type { LogLevel } from '@tickwheel/contract'
import { RunFailure } from '../run/run.ts'
import { runFacts } from '../run/run-facts.ts'
import type { Run, RunFunction, RunLog } from '../run/run.ts'
import type { TaskHandler, Work } from './handler.ts'
import type { ParamsReader } from './params.ts'

/** Runs a function of the application in this process. */
export function namedHandler(name: string, run: RunFunction<never>, params?: ParamsReader): TaskHandler {
  return { slot: `named:${name}`, endsItself: false, run: async (work) => run(plainRun(work, params)) }
}

/** One function is all of a run, or a shard of it. */
function plainRun(work: Work, params: ParamsReader | undefined): Run<never> {
  if (work.dispatch.reduce !== undefined)
    throw new RunFailure('REDUCE_UNSUPPORTED', 'this handler has no reduce: the executor that split the run is of another version')
  return runOf(work, params)
}

/** What a function is called with. */
export function runOf(work: Work, params: ParamsReader | undefined): Run<never> {
  return {
    ...runFacts(work.dispatch),
    // what the reader lets pass is what the function was declared with
    params: (params === undefined ? work.dispatch.params : params.read(work.dispatch.params)) as never,
    signal: work.signal,
    log: logOf(work),
    progress: (value, text = '') => work.progress(value, text),
    map: (items, options) => work.splitter.map(items, options),
  }
}

/** Whatever it is given: applications in plain JavaScript log numbers and errors, too. */
function logOf(work: Work): RunLog {
  const at = (level: LogLevel) => (text: unknown) => work.log.write('log', level, String(text))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
