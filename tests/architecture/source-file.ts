import { readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'

export interface Import {
  /** As written: a package's name, or a relative path. */
  readonly specifier: string
  /** True when the other file is evaluated before this one: not for types alone, and not for `import()`. */
  readonly isEvaluated: boolean
}

export interface SourceFile {
  /** From the root of the project, with forward slashes. */
  readonly path: string
  readonly imports: readonly Import[]
  /** Texts of string and template literals, for rules on what a file says. */
  readonly strings: readonly string[]
}

const packages = ['core', 'contract', 'executor', 'server', 'web', 'cli']
const skipped = new Set(['node_modules', 'dist', 'public'])

/** Every source file of every package, tests and fixtures left out. */
export function readSourceFiles(root: string): SourceFile[] {
  return packages
    .flatMap((name) => filesUnder(root, `${name}/src`))
    .map((path) => parseSourceFile(path, readFileSync(join(root, path), 'utf8')))
}

function filesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesUnder(root, path)
    return /\.(ts|vue)$/.test(path) && !/\.(test|fixture|d)\.ts$/.test(path) ? [path] : []
  })
}

/** Reads what a file imports and which texts it holds. Of a `.vue` file, its script blocks. */
export function parseSourceFile(path: string, text: string): SourceFile {
  const script = path.endsWith('.vue') ? [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]).join('\n') : text
  const imports: Import[] = []
  const strings: string[] = []
  const visit = (node: ts.Node): void => {
    const found = importIn(node)
    if (found !== undefined) imports.push(found)
    else if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) strings.push(node.text)
    if (found === undefined || ts.isCallExpression(node)) ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path.replace(/\.vue$/, '.ts'), script, ts.ScriptTarget.Latest))
  return { path, imports, strings }
}

function importIn(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) return importOf(node.moduleSpecifier, !isTypeOnlyClause(node.importClause))
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) return importOf(node.moduleSpecifier, !node.isTypeOnly)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return importOf(node.arguments[0], false)
  return undefined
}

function importOf(specifier: ts.Expression | undefined, isEvaluated: boolean): Import | undefined {
  return specifier !== undefined && ts.isStringLiteralLike(specifier) ? { specifier: specifier.text, isEvaluated } : undefined
}

function isTypeOnlyClause(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const bindings = clause.namedBindings
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every((element) => element.isTypeOnly)
  )
}
