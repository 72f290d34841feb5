export interface CommandInput {
  readonly server: string
  readonly appName: string
  readonly token: string
}

/** A line for a terminal, in a clone, that starts an executor. Nothing in it needs quoting: names, addresses and tokens have no blanks. */
export function executorCommand({ server, appName, token }: CommandInput): string {
  return `npx tickwheel executor --server ${server} --app ${appName} --token ${token}`
}

/** The same in a program of one's own. */
export function executorProgram({ server, appName, token }: CommandInput): string {
  return [
    "import { createExecutor } from '@tickwheel/executor'",
    '',
    `const executor = createExecutor({ server: '${server}', appName: '${appName}', token: '${token}' })`,
    "executor.handle('hello', async (run) => {",
    "  run.log.info('Hello from my own program')",
    '})',
    'await executor.start()',
  ].join('\n')
}

/** Whether an address leads only to the machine it is opened on. */
export function isLoopback(address: string): boolean {
  return URL.canParse(address) && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(address).hostname)
}
