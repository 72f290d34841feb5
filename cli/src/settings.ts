import { loadConfig, settingKeys, type Config } from '@tickwheel/server'
import { Option, type Command } from 'commander'

/** Gives a command a flag for every setting of the server, and `--config`. */
export function withSettings(command: Command): Command {
  command.addOption(new Option('--config <file>', 'the configuration file; default ./config.yaml, server/config.yaml'))
  for (const key of settingKeys)
    command.addOption(
      new Option(`${key.flag} <value>`, `${key.description} (${key.variable}, default ${key.default === '' ? 'empty' : key.default})`),
    )
  return command
}

/** The settings of a run: the flags that were given, over the environment, over the file, over the defaults. Throws `StartProblem`. */
export function settingsOf(options: Readonly<Record<string, unknown>>): Config {
  const flags: Record<string, string> = {}
  for (const key of settingKeys) {
    const value = options[new Option(`${key.flag} <value>`).attributeName()]
    if (typeof value === 'string') flags[key.path] = value
  }
  const { config } = options
  return loadConfig({ flags, env: process.env, ...(typeof config === 'string' ? { file: config } : {}) })
}
