import { isMap, isScalar, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml'
import { didYouMean } from './did-you-mean.ts'
import { settingKeys } from './keys.ts'
import { StartProblem } from './start-problem.ts'

export interface FileValue {
  readonly value: unknown
  /** `/etc/config.yaml:3:7` */
  readonly where: string
}

/** The settings that a YAML file gives, by path, each with its line and column. Throws `StartProblem` for YAML errors and unknown keys. */
export function parseFile(text: string, name: string): ReadonlyMap<string, FileValue> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined)
    throw new StartProblem(
      `${name}:${error.linePos?.[0].line ?? 1}:${error.linePos?.[0].col ?? 1} is not valid YAML: ${firstLine(error.message)}`,
    )
  const root = document.contents
  if (root === null || (isScalar(root) && root.value === null)) return new Map()
  if (!isMap(root)) throw new StartProblem(`${name}:1:1 must hold keys and values, like \`port: 8080\`.`)
  const found = new Map<string, FileValue>()
  collect(root, '', (node) => whereOf(node, name, lines), found)
  return found
}

const knownPaths = new Set(settingKeys.map((key) => key.path))
const knownGroups = new Set(settingKeys.flatMap((key) => prefixes(key.path)))

function prefixes(path: string): string[] {
  const parts = path.split('.')
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('.'))
}

function collect(map: YAMLMap, above: string, where: (node: unknown) => string, found: Map<string, FileValue>): void {
  for (const pair of map.items) {
    const path = above + String(isScalar(pair.key) ? pair.key.value : pair.key)
    if (knownPaths.has(path)) {
      if (pair.value !== null && !(isScalar(pair.value) && pair.value.value === null))
        found.set(path, { value: isScalar(pair.value) ? pair.value.value : {}, where: where(pair.key) })
    } else if (!knownGroups.has(path)) {
      throw new StartProblem(
        `${where(pair.key)}: ${path} is not a setting${didYouMean(path, [...knownPaths, ...knownGroups])}. docs/reference/configuration.md lists all.`,
      )
    } else if (isMap(pair.value)) {
      collect(pair.value, `${path}.`, where, found)
    } else if (pair.value !== null && !(isScalar(pair.value) && pair.value.value === null)) {
      throw new StartProblem(`${where(pair.key)}: ${path} must hold keys of its own.`)
    }
  }
}

function whereOf(node: unknown, name: string, lines: LineCounter): string {
  const offset = (node as Node | null)?.range?.[0] ?? 0
  const { line, col } = lines.linePos(offset)
  return `${name}:${line}:${col}`
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
