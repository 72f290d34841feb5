import { readFile, stat } from 'node:fs/promises'
import { readXxlTables, StartProblem } from '@tickwheel/server'
import { Option, type Command } from 'commander'
import { Api } from './api.ts'
import { readDump } from './sql-dump.ts'
import { planOf, type Plan, type PlannedTask, type XxlTables } from './xxl-plan.ts'

const DUMP_BYTES = 268_435_456

export interface ImportOptions {
  /** file of a dump, or mysql://… */
  readonly source: string
  readonly server: string
  readonly token: string
  readonly user: string
  readonly password: string
  readonly timezone: string
  readonly enable: boolean
  readonly dryRun: boolean
  readonly print: (line: string) => void
}

/**
 * Takes groups and jobs of XXL-JOB over; the exit code: 1 when a job was left out. What is there already (a group by its appName, a task by its name in the
 * group) is left as it is. Throws StartProblem when the source cannot be read or the server refuses.
 */
export async function importXxlJob(options: ImportOptions): Promise<number> {
  const tables = await readTables(options.source)
  if (tables.groups.length === 0 && tables.jobs.length === 0)
    throw new StartProblem(
      `${nameOf(options.source)} holds no rows of xxl_job_group and xxl_job_info: dump those two tables of the XXL-JOB database.`,
    )
  const plan = planOf(tables, options)
  if (options.dryRun) tell(plan, () => 'would be made', options.print)
  else await make(plan, options)
  const left = [...plan.groups.filter(({ group }) => group === null), ...plan.tasks.filter(({ task }) => task === null)].length
  options.print('')
  options.print(
    `${String(plan.groups.length)} groups and ${String(plan.tasks.length)} tasks read, ${String(left)} left out.${options.dryRun ? ' Nothing was changed.' : ''}`,
  )
  return left === 0 ? 0 : 1
}

async function readTables(source: string): Promise<XxlTables> {
  try {
    if (/^(mysql|mariadb):/i.test(source)) return await readXxlTables(source)
    const { size } = await stat(source)
    if (size > DUMP_BYTES)
      throw new Error(
        `it has ${String(size)} bytes, at most ${String(DUMP_BYTES)} are read: dump only what is needed, mysqldump … xxl_job_group xxl_job_info`,
      )
    const tables = readDump(await readFile(source, 'utf8'), ['xxl_job_group', 'xxl_job_info'])
    return { groups: tables.get('xxl_job_group') ?? [], jobs: tables.get('xxl_job_info') ?? [] }
  } catch (error) {
    throw new StartProblem(`${nameOf(source)} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** An address holds a password: only its host is told. */
function nameOf(source: string): string {
  return /^(mysql|mariadb):/i.test(source) ? `the database at ${URL.parse(source)?.host ?? 'that address'}` : source
}

async function make(plan: Plan, options: ImportOptions): Promise<void> {
  const api = await Api.open(options)
  const groupIds = new Map<string, number>()
  const said = new Map<object, string>()
  const known = new Map((await api.groups()).map((group) => [group.appName, group.id]))
  for (const planned of plan.groups) {
    if (planned.group === null) continue
    const id = known.get(planned.appName)
    groupIds.set(planned.appName, id ?? (await api.createGroup(planned.group)))
    said.set(planned, id === undefined ? 'made' : 'was there')
  }
  for (const [appName, planned] of Map.groupBy(plan.tasks, (task) => task.appName)) {
    const groupId = groupIds.get(appName)
    if (groupId === undefined) continue
    const names = new Set((await api.tasks(groupId)).map((task) => task.name))
    for (const one of planned) said.set(one, await makeTask(api, { planned: one, groupId, names }))
  }
  tell(plan, (planned) => said.get(planned) ?? 'left out', options.print)
}

async function makeTask(
  api: Api,
  { planned, groupId, names }: { planned: PlannedTask; groupId: number; names: ReadonlySet<string> },
): Promise<string> {
  if (planned.task === null) return 'left out'
  if (names.has(planned.name)) return 'was there'
  await api.createTask({ ...planned.task, groupId })
  return planned.task.enabled === true ? 'made, started' : 'made'
}

function tell(plan: Plan, said: (planned: object) => string, print: (line: string) => void): void {
  const rows = [
    ['XXL-JOB', 'becomes', 'result', 'notes'],
    ...plan.groups.map((one) => [
      `group ${String(one.xxlId)}`,
      one.appName,
      one.group === null ? 'left out' : said(one),
      one.notes.join('; '),
    ]),
    ...plan.tasks.map((one) => [
      `job ${String(one.xxlId)}`,
      `${one.appName}/${one.name}`,
      one.task === null ? 'left out' : said(one),
      one.notes.join('; '),
    ]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  for (const row of rows)
    print(
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
        .join('  ')
        .trimEnd(),
    )
}

/** Columns of a terminal: Chinese takes two for each character. */
function widthOf(text: string): number {
  return [...text].reduce(
    (sum, char) =>
      sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(char) ? 2 : 1),
    0,
  )
}

/** Adds `tickwheel import xxl-job` to the command line; `exit` is told the exit code. */
export function addImportCommand(program: Command, exit: (code: number) => void): void {
  program
    .command('import')
    .description('takes tasks of another scheduler over')
    .command('xxl-job <source>')
    .description(
      'groups and jobs of XXL-JOB: a mysqldump file of its tables, or mysql://user:password@host:port/xxl_job. What is there already is left as it is',
    )
    .addOption(new Option('--server <address>', 'address of the server').env('TICKWHEEL_SERVER').default('http://localhost:8080'))
    .addOption(new Option('--user <name>', 'account that makes groups and tasks').env('TICKWHEEL_USER').default('admin'))
    .addOption(new Option('--password <password>', 'its password; better given by the environment').env('TICKWHEEL_PASSWORD'))
    .addOption(new Option('--token <token>', 'a token instead of account and password').env('TICKWHEEL_TOKEN'))
    .option(
      '--timezone <zone>',
      'zone of the cron schedules; default: that of this machine',
      Intl.DateTimeFormat().resolvedOptions().timeZone,
    )
    .option('--enable', 'start the tasks that run in XXL-JOB: stop them there first')
    .option('--dry-run', 'only say what becomes of what; no server is asked')
    .action(async (source: string, flags: Record<string, unknown>) => exit(await importXxlJob(optionsOf(source, flags))))
}

function optionsOf(source: string, flags: Readonly<Record<string, unknown>>): ImportOptions {
  const textOf = (name: string): string => (typeof flags[name] === 'string' ? flags[name] : '')
  return {
    source,
    server: textOf('server'),
    token: textOf('token'),
    user: textOf('user'),
    password: textOf('password'),
    timezone: textOf('timezone'),
    enable: flags['enable'] === true,
    dryRun: flags['dryRun'] === true,
    print: (line) => process.stdout.write(`${line}\n`),
  }
}
