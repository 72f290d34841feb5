import { runServer, tellStartProblem, VERSION, type Config } from '@tickwheel/server'
import { Command } from 'commander'
import { addDocumentCommands } from './documents.ts'
import { addExecutorCommand } from './executor.ts'
import { addImportCommand } from './import/xxl-job.ts'
import { addSecretsCommand } from './secrets.ts'
import { settingsOf, withSettings } from './settings.ts'
import { startEverything } from './start.ts'

/** Does what the arguments say; the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let code = 0
  const program = new Command('tickwheel').description('Distributed task scheduler').version(VERSION)
  const add = (name: string, description: string, run: (config: Config) => Promise<number>): void => {
    withSettings(program.command(name).description(description)).action(async (options: Record<string, unknown>) => {
      code = await run(settingsOf(options))
    })
  }
  add('start', 'server with an embedded executor: everything on one machine', startEverything)
  add('server', 'server alone', runServer)
  addExecutorCommand(program, (given) => {
    code = given
  })
  addImportCommand(program, (given) => {
    code = given
  })
  addDocumentCommands(program, (given) => {
    code = given
  })
  addSecretsCommand(program, (given) => {
    code = given
  })
  try {
    await program.parseAsync([...argv])
    return code
  } catch (error) {
    tellStartProblem(error)
    return 1
  }
}
