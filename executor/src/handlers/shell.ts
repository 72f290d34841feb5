import type { TaskHandler, Work } from './handler.ts'
import { runProgram, type ProgramSettings } from './program.ts'

/** Runs the task's text by `/bin/sh`. */
export function shellHandler(settings: ProgramSettings): TaskHandler {
  return { slot: 'shell', endsItself: true, run: (work) => runShell(work, settings) }
}

async function runShell(work: Work, settings: ProgramSettings): Promise<unknown> {
  const { handler } = work.dispatch
  if (handler.kind !== 'shell') throw new TypeError(`the shell handler was given a task of kind ${handler.kind}`)
  return runProgram({ command: '/bin/sh', options: [], fileName: 'task.sh', source: handler.script }, work, settings)
}
