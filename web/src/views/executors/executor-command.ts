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

/** The same for an executor with an HTTP endpoint: the example in Python, which the server must reach at `EXECUTOR_HOST`. */
export function httpCommand({ server, appName, token }: CommandInput): string {
  return `TICKWHEEL_SERVER=${server} EXECUTOR_APP=${appName} EXECUTOR_TOKEN=${token} EXECUTOR_HOST=127.0.0.1 EXECUTOR_PORT=9100 python3 examples/http-python/executor.py`
}

/** The first call of an executor in any language. */
export function httpProgram({ server, appName, token }: CommandInput): string {
  return [
    `curl ${server}/api/v1/executor/register \\`,
    `  -H 'Authorization: Bearer ${token}' \\`,
    `  -H 'Content-Type: application/json' -d '{`,
    `  "appName": "${appName}", "name": "my-program",`,
    '  "protocol": { "min": 1, "max": 1 }, "version": "1", "capacity": 4,',
    '  "handlers": [{ "name": "hello" }], "host": "my-host", "pid": 1,',
    `  "address": "http://127.0.0.1:9100" }'`,
  ].join('\n')
}

/** Whether an address leads only to the machine it is opened on. */
export function isLoopback(address: string): boolean {
  return URL.canParse(address) && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(address).hostname)
}
