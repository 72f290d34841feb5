import { VERSION } from '@tickwheel/server'
import { Command } from 'commander'
import { addExecutorCommand } from './executor.ts'
import { tellStartProblem } from './lifecycle.ts'
import { settingsOf, withSettings } from './settings.ts'
import { runServer } from './start.ts'

/** Does what the arguments say; the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let code = 0
  const program = new Command('tickwheel').description('Distributed task scheduler').version(VERSION)
  const add = (name: string, description: string, withExecutor: boolean): void => {
    withSettings(program.command(name).description(description)).action(async (options: Record<string, unknown>) => {
      const config = settingsOf(options)
      code = await runServer(config, { withExecutor: withExecutor && config.embeddedExecutor })
    })
  }
  add('start', 'server with an embedded executor: everything on one machine', true)
  add('server', 'server alone', false)
  addExecutorCommand(program, (given) => {
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
