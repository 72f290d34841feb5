import type { SCRIPT_LANGUAGES } from '@tickwheel/contract'
import type { TaskHandler, Work } from './handler.ts'
import { runProgram, type Program, type ProgramSettings } from './program.ts'

type Language = (typeof SCRIPT_LANGUAGES)[number]

const INTERPRETERS: Readonly<Record<Language, Omit<Program, 'source'>>> = {
  // which of the two module systems a script is written in is seen from its syntax; the warning about that would stand in its log
  node: { command: process.execPath, options: ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'], fileName: 'task.js' },
  python: { command: 'python3', options: ['-u'], fileName: 'task.py' },
  bash: { command: 'bash', options: [], fileName: 'task.bash' },
}

/** Runs the task's text by Node.js (the executor's own; `import` and `require` both work), python3 or bash. */
export function scriptHandler(settings: ProgramSettings): TaskHandler {
  return { slot: 'script', endsItself: true, run: (work) => runScript(work, settings) }
}

async function runScript(work: Work, settings: ProgramSettings): Promise<unknown> {
  const { handler } = work.dispatch
  if (handler.kind !== 'script') throw new TypeError(`the script handler was given a task of kind ${handler.kind}`)
  return runProgram({ ...INTERPRETERS[handler.language], source: handler.source }, work, settings)
}
