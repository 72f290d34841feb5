import type { ReadTx } from '../database.ts'
import type { StoreSizes } from './sizes.ts'

/*
 * What tables take on SQLite, in a bounded time: reading every page of a large file would hold the process up for seconds. Of a tree, in which a table or an index is
 * kept, the first pages are looked at in the order of its keys. A small one is then known; of a larger one the fan-out of each level and how full its leaves
 * are tell the rest, and what all of these together are too large or too small is made good by the length of the file, which is known.
 */

/** Of one tree: up to 800 KiB */
const PAGES_LOOKED_AT = 200

interface PageRow {
  readonly path: string
  readonly pagetype: string
  readonly ncell: number
}

interface Tree {
  readonly rows: number
  readonly pages: number
  readonly isEstimated: boolean
}

interface TreeRow {
  readonly name: string
  readonly tbl_name: string
  readonly type: string
  readonly sql: string | null
}

export async function sqliteSizes(tx: ReadTx): Promise<StoreSizes> {
  const pageBytes = await pragma(tx, 'page_size')
  const totalPages = await pragma(tx, 'page_count')
  const freePages = await pragma(tx, 'freelist_count')
  const names = await tx.all<TreeRow>(
    "SELECT name, tbl_name, type, sql FROM sqlite_master WHERE type IN ('table', 'index') AND rootpage > 0",
  )
  const trees = new Map<string, Tree & { readonly of: TreeRow }>()
  for (const one of names) trees.set(one.name, { ...treeOf(await firstPages(tx, one.name), keepsRowsInside(one)), of: one })
  const scale = scaleOf([...trees.values()], totalPages - freePages)
  const scaled = (tree: Tree): Tree =>
    tree.isEstimated ? { ...tree, rows: Math.round(tree.rows * scale), pages: Math.round(tree.pages * scale) } : tree
  const tables = [...trees.values()].flatMap(({ of, ...tree }) => {
    if (of.type !== 'table') return []
    const { rows, pages, isEstimated } = scaled(tree)
    const indexes = [...trees.values()].filter((other) => other.of.type === 'index' && other.of.tbl_name === of.name).map(scaled)
    return [
      {
        table: of.name,
        rows,
        bytes: pages * pageBytes,
        indexBytes: indexes.reduce((sum, index) => sum + index.pages, 0) * pageBytes,
        isEstimated: isEstimated || indexes.some((index) => index.isEstimated),
      },
    ]
  })
  return { tables, totalBytes: totalPages * pageBytes, freeBytes: freePages * pageBytes }
}

async function pragma(tx: ReadTx, name: 'page_size' | 'page_count' | 'freelist_count'): Promise<number> {
  const [row] = await tx.all<Record<string, number>>(`SELECT ${name} AS n FROM pragma_${name}`)
  return row?.['n'] ?? 0
}

/** In the order of the tree: the root, what is on the way to its first leaf, and leaf by leaf from there. */
async function firstPages(tx: ReadTx, name: string): Promise<PageRow[]> {
  return tx.all<PageRow>(`SELECT path, pagetype, ncell FROM dbstat WHERE name = ? LIMIT ${PAGES_LOOKED_AT}`, [name])
}

/** Tables with a rowid keep rows in leaves only; all other trees in every page. */
function keepsRowsInside({ type, sql }: TreeRow): boolean {
  return type === 'index' || /WITHOUT ROWID\s*$/i.test(sql ?? '')
}

function treeOf(pages: readonly PageRow[], isInside: boolean): Tree {
  const leaves = pages.filter(({ pagetype }) => pagetype === 'leaf')
  const inner = pages.filter(({ pagetype }) => pagetype === 'internal')
  const rows = sum(leaves) + (isInside ? sum(inner) : 0)
  if (pages.length < PAGES_LOOKED_AT) return { rows, pages: pages.length, isEstimated: false }
  const levels = [...Map.groupBy(inner, ({ path }) => path.split('/').length).entries()].sort(([one], [other]) => one - other)
  let innerPages = 0
  let leafPages = 1
  for (const [, level] of levels) {
    innerPages += leafPages
    leafPages *= sum(level) / level.length + 1
  }
  const overflow = pages.length - leaves.length - inner.length
  return {
    rows: leafPages * (sum(leaves) / Math.max(1, leaves.length)) + (isInside ? leafPages : 0),
    pages: innerPages + leafPages * (1 + overflow / Math.max(1, leaves.length)),
    isEstimated: true,
  }
}

/** By how much the estimates are too small; 1 where nothing is estimated. */
function scaleOf(trees: readonly Tree[], usedPages: number): number {
  const [guessed, known] = [true, false].map((isEstimated) =>
    trees.filter((tree) => tree.isEstimated === isEstimated).reduce((total, tree) => total + tree.pages, 0),
  )
  if (guessed === undefined || guessed === 0) return 1
  return Math.max(0, usedPages - (known ?? 0)) / guessed
}

function sum(pages: readonly PageRow[]): number {
  return pages.reduce((total, { ncell }) => total + ncell, 0)
}
