import { posix } from 'node:path'
import type { Import, SourceFile } from './source-file.ts'

/*
 * The rules of ARCHITECTURE.md on who may import whom. Each rule takes a file and answers with sentences, one for each violation.
 */
export type Rule = (file: SourceFile) => string[]

const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  contract: ['core'],
  executor: ['core', 'contract'],
  server: ['core', 'contract'],
  web: ['core', 'contract'],
  cli: ['core', 'contract', 'executor', 'server'],
}

const sqlLibraries = /^(kysely|better-sqlite3|mysql2|mariadb|pg|node:sqlite)($|\/)/
const sqlText =
  /^\s*((SELECT|select)\s[\s\S]*\s(FROM|from)\s|(INSERT INTO|insert into|DELETE FROM|delete from|CREATE TABLE|create table|ALTER TABLE|alter table|PRAGMA|pragma)\s|(UPDATE|update)\s+\w+\s+(SET|set)\s)/
const enginePorts = /^server\/src\/(link\/link|cluster\/[a-z]+)\.ts$/

/** core ◀ contract ◀ executor, server, web ◀ cli: left is imported by right, never back, and by its package name. */
export const packageDirection: Rule = (file) =>
  file.imports.flatMap(({ specifier }) => {
    const from = packageOf(file.path)
    const to = importedPackage(file, specifier)
    if (to === undefined || to === from) return []
    if (isRelative(specifier)) return [`${file.path} reaches into ${to} by a relative path (${specifier}): import the package by its name`]
    return mayImport[from]?.includes(to) === true ? [] : [`${file.path} imports ${specifier}: ${from} may not import ${to}`]
  })

/** The one library that core has, and the files that know it: the language of expressions (docs/adr/0025). */
const expressionLibrary = '@marcbachmann/cel-js'
const expressionFiles = /^core\/src\/workflow\/expression(-walk)?\.ts$/

/** core decides and nothing else: no library but that of expressions, no host. */
export const coreImportsNothing: Rule = (file) =>
  packageOf(file.path) === 'core'
    ? bareImports(file)
        .filter((specifier) => !(specifier === expressionLibrary && expressionFiles.test(file.path)))
        .map((specifier) => `${file.path} imports ${specifier}: core imports nothing but itself`)
    : []

/** The engine imports core, contract, the store and ports; it knows no library and no edge. */
export const engineImports: Rule = (file) => {
  if (!file.path.startsWith('server/src/engine/')) return []
  return file.imports.flatMap(({ specifier }) =>
    mayEngineImport(file, specifier) ? [] : [`${file.path} imports ${specifier}: the engine imports core, contract, store and ports only`],
  )
}

function mayEngineImport(file: SourceFile, specifier: string): boolean {
  const target = targetOf(file, specifier)
  if (target === undefined) return /^@tickwheel\/(core|contract)$/.test(specifier)
  return target.startsWith('server/src/engine/') || target.startsWith('server/src/store/') || enginePorts.test(target)
}

/** The store stands below the engine and beside nothing. */
export const storeImports: Rule = (file) => {
  if (!file.path.startsWith('server/src/store/')) return []
  return relativeTargets(file)
    .filter((target) => target.startsWith('server/src/') && !target.startsWith('server/src/store/'))
    .map((target) => `${file.path} imports ${target}: the store imports core, contract and itself only`)
}

/** All SQL is in server/src/store. */
export const storeAloneSpeaksSql: Rule = (file) => {
  if (file.path.startsWith('server/src/store/')) return []
  const libraries = bareImports(file).filter((specifier) => sqlLibraries.test(specifier))
  const texts = file.strings.filter((text) => sqlText.test(text))
  return [
    ...libraries.map((specifier) => `${file.path} imports ${specifier}: the store alone speaks SQL`),
    ...texts.map((text) => `${file.path} holds SQL (${text.trim().slice(0, 40)}): the store alone speaks SQL`),
  ]
}

/** Edges never import each other, and only app.ts, which chooses adapters, imports them at all. */
export const edgesStandAlone: Rule = (file) => {
  if (file.path === 'server/src/app.ts') return []
  return relativeTargets(file).flatMap((target) => {
    const edge = edgeOf(target)
    if (edge === undefined || edge === edgeOf(file.path)) return []
    return [`${file.path} imports ${target}: only server/src/app.ts imports the edge ${edge}`]
  })
}

/** One index.ts for each package and none inside, so that an import names the file that it means. */
export const noInnerIndex: Rule = (file) => {
  const isInner = posix.basename(file.path) === 'index.ts' && file.path !== `${packageOf(file.path)}/src/index.ts`
  return isInner ? [`${file.path}: index.ts stands at the top of a package only`] : []
}

export const rules: readonly Rule[] = [
  packageDirection,
  coreImportsNothing,
  engineImports,
  storeImports,
  storeAloneSpeaksSql,
  edgesStandAlone,
  noInnerIndex,
]

/** Every violation of every rule in the files. */
export function violationsIn(files: readonly SourceFile[]): string[] {
  return [...files.flatMap((file) => rules.flatMap((rule) => rule(file))), ...cyclesIn(files)]
}

/** Chains of files that need each other before they can be evaluated. Imports of types, and those by `import()`, make no cycle. */
export function cyclesIn(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map((file) => [file.path, relativeTargets(file, (found) => found.isEvaluated)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) cycles.push(`import cycle: ${[...trail.slice(at), path].join(' → ')}`)
    if (at >= 0 || done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return cycles
}

/** `http`, `live`, `notify`, `link/stream`, `cluster/redis`, or undefined for what is no edge. */
function edgeOf(path: string): string | undefined {
  return /^server\/src\/(http|live|notify|(?:link|cluster)\/[^/]+(?=\/))\//.exec(path)?.[1]
}

function packageOf(path: string): string {
  return path.slice(0, path.indexOf('/'))
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function bareImports(file: SourceFile): string[] {
  return file.imports.map(({ specifier }) => specifier).filter((specifier) => !isRelative(specifier))
}

function targetOf(file: SourceFile, specifier: string): string | undefined {
  return isRelative(specifier) ? posix.join(posix.dirname(file.path), specifier) : undefined
}

function relativeTargets(file: SourceFile, isWanted: (found: Import) => boolean = () => true): string[] {
  return file.imports.filter(isWanted).flatMap(({ specifier }) => targetOf(file, specifier) ?? [])
}

function importedPackage(file: SourceFile, specifier: string): string | undefined {
  const target = targetOf(file, specifier)
  if (target !== undefined) return packageOf(target)
  if (specifier === 'tickwheel') return 'cli'
  return /^@tickwheel\/([^/]+)/.exec(specifier)?.[1]
}
