import { settingKeys, type SettingKey } from './keys.ts'

/** `server/config.yaml`: every key with its default, commented in both languages. */
export function renderYaml(): string {
  const head = [
    '# Tickwheel: every setting with its default. Flags win over environment variables, those over this file.',
    '# Tickwheel 的全部配置及默认值。优先级：命令行参数 > 环境变量 > 本文件。',
    '# Generated from server/src/config/schema.ts; a test fails when it is stale: npx vitest run server/src/config -u',
  ]
  return [...head, ...settingKeys.flatMap((key, index) => yamlOf(key, settingKeys[index - 1]))].join('\n') + '\n'
}

function yamlOf(key: SettingKey, before: SettingKey | undefined): string[] {
  const parts = key.path.split('.')
  const previous = before?.path.split('.') ?? []
  const opened = parts
    .slice(0, -1)
    .flatMap((part, depth) => (sameUpTo(parts, previous, depth) ? [] : [...(depth === 0 ? [''] : []), `${'  '.repeat(depth)}${part}:`]))
  const indent = '  '.repeat(parts.length - 1)
  const gap = parts.length === 1 ? [''] : []
  return [
    ...opened,
    ...gap,
    `${indent}# ${key.description}`,
    `${indent}# ${key.zh}`,
    `${indent}# ${key.variable}`,
    `${indent}${parts.at(-1)}: ${JSON.stringify(key.default)}`,
  ]
}

function sameUpTo(parts: readonly string[], previous: readonly string[], depth: number): boolean {
  return previous.length > depth + 1 && parts.slice(0, depth + 1).join('.') === previous.slice(0, depth + 1).join('.')
}

const words = {
  en: {
    title: 'Configuration',
    intro:
      'Flags win over environment variables, those over `config.yaml`, that over the defaults. The file is the one that `--config` or `TICKWHEEL_CONFIG` names, else `./config.yaml`, else `server/config.yaml`. An unknown key or a wrong value stops the start with a line that names it. Durations end in `Ms` and are milliseconds.',
    head: '| Key | Flag | Variable | Default | Value | Meaning |',
    empty: 'empty',
  },
  zh: {
    title: '配置',
    intro:
      '优先级：命令行参数 > 环境变量 > `config.yaml` > 默认值。配置文件依次取 `--config` 或 `TICKWHEEL_CONFIG` 指定的文件、`./config.yaml`、`server/config.yaml`。出现未知的键或错误的值时，启动会中止并指明是哪一项。以 `Ms` 结尾的是毫秒数。',
    head: '| 键 | 命令行参数 | 环境变量 | 默认值 | 取值 | 含义 |',
    empty: '空',
  },
} as const

/** `docs/reference/configuration.md` and its Chinese twin. */
export function renderReference(language: 'en' | 'zh'): string {
  const { title, intro, head, empty } = words[language]
  const rows = settingKeys.map((key) => {
    const value = key.default === '' ? empty : `\`${key.default}\``
    return `| \`${key.path}\` | \`${key.flag}\` | \`${key.variable}\` | ${value} | ${language === 'en' ? key.kind : kindZh(key.kind)} | ${language === 'en' ? key.description : key.zh} |`
  })
  return `# ${title}\n\n${intro}\n\n${head}\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function kindZh(kind: string): string {
  return kind
    .replace(/^text$/, '文本')
    .replace(/^true or false$/, 'true 或 false')
    .replace(/^whole number /, '整数 ')
    .replace(/^one of /, '其一：')
    .replace(/^number above (.+), at most (.+)$/, '大于 $1、不超过 $2 的数')
}
