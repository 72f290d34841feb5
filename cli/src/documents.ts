import { readFile, stat, writeFile } from 'node:fs/promises'
import { text as wholeOf } from 'node:stream/consumers'
import { DOCUMENT_LIMITS, type ApplyAnswer, type DocumentItem, type FieldProblem, type Problem } from '@tickwheel/contract'
import { StartProblem } from '@tickwheel/server'
import { Option, type Command } from 'commander'
import { Api, detailOf, type Account } from './import/api.ts'

/*
 * `tickwheel export` and `tickwheel apply`: groups, tasks and workflows as a file that is kept beside the source of a program. Exit codes of an apply: 0, all is as
 * the document says (now, or already); 1, it was refused, and nothing was changed; 2, a dry run has found differences.
 */

const DIFFERS = 2

export interface ExportOptions extends Account {
  /** names; empty: all that the account may export */
  readonly groups: readonly string[]
  readonly format: 'yaml' | 'json'
  /** a file; null: printed */
  readonly out: string | null
  readonly print: (text: string) => void
}

/** Writes what the server exports; the exit code. Throws StartProblem for what the server refuses. */
export async function exportDocument({ groups, format, out, print, ...account }: ExportOptions): Promise<number> {
  const api = await Api.open(account)
  const query = new URLSearchParams({ format, ...(groups.length === 0 ? {} : { groups: groups.join('/') }) })
  const { status, text } = await api.text('GET', `/export?${query.toString()}`)
  if (status !== 200) throw new StartProblem(detailOf(text) ?? `The server answered ${String(status)}.`)
  const whole = format === 'json' ? `${JSON.stringify(JSON.parse(text), null, 2)}\n` : text
  if (out === null) print(whole)
  else await writeFile(out, whole)
  return 0
}

export interface ApplyOptions extends Account {
  /** of a YAML or JSON document; `-`: standard input */
  readonly file: string
  readonly dryRun: boolean
  readonly print: (line: string) => void
}

/** Shows what a document would change, and does just that unless it is a dry run; the exit code. Throws StartProblem when the file cannot be read. */
export async function applyDocument({ file, dryRun, print, ...account }: ApplyOptions): Promise<number> {
  const body = await readDocument(file)
  const api = await Api.open(account)
  const shown = await applied(api, 'dryRun=true', body)
  if (shown.kind === 'refused') return tellProblems(shown.problem, { file, print })
  const { answer } = shown
  for (const item of answer.items) tellItem(item, print)
  if (answer.problems.length > 0) return tellProblems({ detail: '', errors: answer.problems }, { file, print })
  const { create, change, none, untouched } = answer.counts
  const counts = `${String(create)} to create, ${String(change)} to change, ${String(none)} as they are; ${String(untouched)} others in these groups are left alone.`
  print(counts)
  if (create + change === 0) return 0
  if (dryRun) {
    print('Nothing was changed: this was a dry run.')
    return DIFFERS
  }
  const done = await applied(api, `plan=${answer.plan ?? ''}`, body)
  if (done.kind === 'refused') return tellProblems(done.problem, { file, print })
  print('Applied.')
  return 0
}

type Outcome =
  | { readonly kind: 'answer'; readonly answer: ApplyAnswer }
  | { readonly kind: 'refused'; readonly problem: Pick<Problem, 'detail' | 'errors'> }

/** Sent as YAML whatever it is: then problems carry the lines of the file. */
async function applied(api: Api, query: string, body: string): Promise<Outcome> {
  const { status, text } = await api.text('POST', `/apply?${query}`, { contentType: 'application/yaml', body })
  if (status === 200) return { kind: 'answer', answer: JSON.parse(text) as ApplyAnswer }
  const detail = detailOf(text)
  if (detail === null) throw new StartProblem(`The server answered ${String(status)}.`)
  return { kind: 'refused', problem: JSON.parse(text) as Problem }
}

async function readDocument(file: string): Promise<string> {
  try {
    if (file === '-') return await wholeOf(process.stdin)
    const { size } = await stat(file)
    if (size > DOCUMENT_LIMITS.bytes)
      throw new Error(`it has ${String(size)} bytes, at most ${String(DOCUMENT_LIMITS.bytes)} are taken: split it by groups`)
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new StartProblem(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

const SIGNS: Readonly<Record<DocumentItem['action'], string>> = { create: '+', change: '~', none: '=' }

function tellItem({ action, kind, key, fields, fieldsLeftOut }: DocumentItem, print: (line: string) => void): void {
  if (action === 'none') return
  print(`${SIGNS[action]} ${kind} ${key}`)
  if (action === 'create') return
  for (const { path, before, after, hidden } of fields)
    print(`    ${path}: ${hidden === true ? 'another value, which this account may not see' : `${shown(before)} → ${shown(after)}`}`)
  if (fieldsLeftOut > 0) print(`    and ${String(fieldsLeftOut)} more fields`)
}

const SHOWN_CHARACTERS = 80

function shown(value: unknown): string {
  if (value === undefined) return '(none)'
  const text = JSON.stringify(value)
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS - 1)}…`
}

/** `jobs.yaml:12:5 tasks.3.schedule.expression: …`, as compilers write it, so that editors lead there. */
function tellProblems(
  { detail, errors = [] }: Pick<Problem, 'detail' | 'errors'>,
  { file, print }: { file: string; print: (line: string) => void },
): number {
  for (const problem of errors) print(`${file}${placeOf(problem)} ${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`)
  if (errors.length === 0) print(detail)
  print(errors.length === 0 ? 'Nothing was changed.' : `${String(errors.length)} problems; nothing was changed.`)
  return 1
}

function placeOf({ params }: FieldProblem): string {
  const [line, col] = [params?.['line'], params?.['col']]
  return typeof line === 'number' && typeof col === 'number' ? `:${String(line)}:${String(col)}` : ''
}

/** Adds both commands to the command line; `exit` is told the exit code. */
export function addDocumentCommands(program: Command, exit: (code: number) => void): void {
  withAccount(program.command('export').description('groups with their tasks and workflows as one document, without ids and secrets'))
    .option('--group <name>', 'only this group; may be given again', (name, names: readonly string[]) => [...names, name], [])
    .addOption(new Option('--format <format>', 'how it is written').choices(['yaml', 'json']).default('yaml'))
    .option('--out <file>', 'where it is written; default: it is printed')
    .action(async (flags: Record<string, unknown>) => {
      const format = flags['format'] === 'json' ? 'json' : 'yaml'
      const groups = Array.isArray(flags['group']) ? flags['group'].map(String) : []
      const out = typeof flags['out'] === 'string' ? flags['out'] : null
      exit(await exportDocument({ ...accountOf(flags), groups, format, out, print: (text) => process.stdout.write(text) }))
    })
  withAccount(
    program
      .command('apply <file>')
      .description(
        'make groups, tasks and workflows what a document says (- reads it from standard input), all or nothing; what it does not name is left alone',
      ),
  )
    .option('--dry-run', 'only say what would be changed; exits with 2 where something would')
    .action(async (file: string, flags: Record<string, unknown>) => {
      const print = (line: string): void => void process.stdout.write(`${line}\n`)
      exit(await applyDocument({ ...accountOf(flags), file, dryRun: flags['dryRun'] === true, print }))
    })
}

function withAccount(command: Command): Command {
  return command
    .addOption(new Option('--server <address>', 'address of the server').env('TICKWHEEL_SERVER').default('http://localhost:8080'))
    .addOption(new Option('--user <name>', 'account that does it').env('TICKWHEEL_USER').default('admin'))
    .addOption(new Option('--password <password>', 'its password; better given by the environment').env('TICKWHEEL_PASSWORD'))
    .addOption(new Option('--token <token>', 'an API token instead of account and password').env('TICKWHEEL_TOKEN'))
}

function accountOf(flags: Readonly<Record<string, unknown>>): Account {
  const textOf = (name: string): string => (typeof flags[name] === 'string' ? flags[name] : '')
  if (textOf('token') === '' && textOf('password') === '')
    throw new StartProblem(
      '--password is missing: give it by TICKWHEEL_PASSWORD, or --password, or an API token by --token or TICKWHEEL_TOKEN.',
    )
  return { server: textOf('server'), token: textOf('token'), user: textOf('user'), password: textOf('password') }
}
