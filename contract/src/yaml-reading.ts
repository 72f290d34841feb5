import { WORKFLOW_LIMITS } from '@tickwheel/core'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml'

/** Something that keeps a text from being read. `path` is dotted, empty where there is none yet; `line` and `col` count from 1. */
export interface YamlProblem {
  readonly path: string
  readonly message: string
  readonly line: number
  readonly col: number
}
export interface YamlPosition {
  readonly line: number
  readonly col: number
}

/**
 * `value`: plain JSON, which nobody has looked at yet. `positionOf`: where a dotted path stands in the text, or the nearest thing around it: its name, or with
 * `of: 'value'` what stands behind that.
 */
export type YamlReading =
  | { readonly kind: 'value'; readonly value: unknown; readonly positionOf: (path: string, of?: 'name' | 'value') => YamlPosition }
  | { readonly kind: 'problems'; readonly problems: readonly YamlProblem[] }

const MAX_PROBLEMS = 100
/** How many aliases a text may have, and how often they may repeat what they stand for, all in all: enough for a retry that all steps share. */
const MAX_ALIASES: number = WORKFLOW_LIMITS.steps
const START: YamlPosition = { line: 1, col: 1 }

/**
 * Reads YAML 1.2, or JSON, which is YAML too, in time that grows with its length. Nothing but plain values: tags of one's own, dates, binary data and merge
 * keys are refused or taken as the text that they are. Longer texts than `maxCharacters` are not looked at: reading a megabyte takes the better part of a
 * second. Never throws.
 */
export function readYaml(text: string, { maxCharacters }: { readonly maxCharacters: number }): YamlReading {
  if (text.length > maxCharacters) return refused(`the text has ${text.length} characters; at most ${maxCharacters} are taken`)
  try {
    return read(text)
  } catch (error) {
    // The library recurses, so that what is nested ten thousand deep breaks it; and it throws when aliases repeat too much.
    return refused(
      error instanceof RangeError ? 'lists and objects are nested too deep' : error instanceof Error ? error.message : String(error),
    )
  }
}

function read(text: string): YamlReading {
  const lines = new LineCounter()
  // Unique keys are looked at below: the library compares each with each, which takes minutes for a megabyte of keys.
  const parsed = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
  })
  const found = [...parsed.errors, ...parsed.warnings].map(({ message, pos }) => ({ path: '', message, ...positionAt(lines, pos[0]) }))
  const version = parsed.directives.yaml.version
  if (version !== '1.2') return refused(`the text says that it is YAML ${version}; only 1.2 is taken`)
  const problems = [...found, ...unfitNodes(parsed, lines)].slice(0, MAX_PROBLEMS)
  if (problems.length > 0) return { kind: 'problems', problems }
  const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES })
  return { kind: 'value', value, positionOf: (path, of = 'name') => positionOf(parsed, { path, of }, lines) }
}

function refused(message: string): YamlReading {
  return { kind: 'problems', problems: [{ path: '', message, ...START }] }
}

/** Keys that stand twice in one map, and values that JSON does not have. */
function unfitNodes(document: Document.Parsed, lines: LineCounter): YamlProblem[] {
  const problems: YamlProblem[] = []
  const marked = new Set<string>()
  const mark = ({ anchor }: { anchor?: string | undefined }): void => void (anchor === undefined ? null : marked.add(anchor))
  let aliases = 0
  const tell = (message: string, node: unknown): void => void problems.push({ path: '', message, ...positionAt(lines, startOf(node)) })
  visit(document, {
    Seq: (_, list) => mark(list),
    Map: (_, map) => {
      mark(map)
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = textOf(key)
        if (seen.has(name)) tell(`the key "${name}" stands here twice`, key)
        seen.add(name)
      }
    },
    Alias: (_, node, path) => {
      aliases += 1
      if (aliases > MAX_ALIASES) tell(`more than ${MAX_ALIASES} aliases`, node)
      else if (!marked.has(node.source)) tell(`nothing before this is marked &${node.source}`, node)
      else if (path.some((outer) => isNode(outer) && 'anchor' in outer && outer.anchor === node.source))
        tell(`*${node.source} stands inside what it names`, node)
      return aliases > MAX_ALIASES ? visit.BREAK : undefined
    },
    Scalar: (_, node) => {
      mark(node)
      if (typeof node.value === 'number' && !Number.isFinite(node.value)) tell('a number must be finite', node)
    },
  })
  return problems
}

function textOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

function positionOf(
  document: Document.Parsed,
  { path, of }: { readonly path: string; readonly of: 'name' | 'value' },
  lines: LineCounter,
): YamlPosition {
  let node: unknown = document.contents
  let found = startOf(node)
  for (const name of path === '' ? [] : path.split('.')) {
    const next = childOf(node, name)
    if (next === null) break
    const [ofName, ofValue] = [startOf(next.key), startOf(next.value)]
    found = (of === 'name' ? (ofName ?? ofValue) : (ofValue ?? ofName)) ?? found
    node = next.value
  }
  return positionAt(lines, found)
}

function childOf(node: unknown, name: string): { readonly key: unknown; readonly value: unknown } | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && textOf(key) === name)
    return pair === undefined ? null : { key: pair.key, value: pair.value }
  }
  if (!isSeq(node)) return null
  const value = node.items[Number(name)]
  return value === undefined ? null : { key: value, value }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function positionAt(lines: LineCounter, offset: number | undefined): YamlPosition {
  if (offset === undefined) return START
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), col: Math.max(1, col) }
}
