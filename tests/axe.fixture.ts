import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'

/** The levels of WCAG 2.2 up to AA, and what those who wrote axe hold to be good. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[]
}

/**
 * What is left out, and why. Under a dialog or a menu that is open only that is looked at: the page below is looked at for itself, and `region`, which is about
 * whole pages, does not count there.
 */
const EXCEPTIONS: readonly { readonly rule: string; readonly at: string; readonly why: string }[] = [
  {
    rule: 'landmark-no-duplicate-banner',
    at: '.el-drawer__header',
    why: 'how Element Plus writes the head of a drawer: the page around it is hidden',
  },
  { rule: 'target-size', at: '.number', why: 'numbers of lines of a log are as high as a line: they are targets in a text' },
  {
    rule: 'label-content-name-mismatch',
    at: '.step-node, .run-timeline .row',
    why: 'drawings: the name says in words what the drawing shows',
  },
]
const TOP_LAYERS = 'dialog[open], .el-drawer, .el-dropdown-menu'

/** What axe holds against a page as it is shown now, in words; empty: nothing. `only`: these rules instead of all. */
export async function axeComplaints(page: Page, only: readonly string[] = []): Promise<string[]> {
  const runOnly = only.length === 0 ? { type: 'tag', values: TAGS } : { type: 'rule', values: only }
  await page.evaluate(`if (window.axe === undefined) { ${source}\n}`)
  const found = await page.evaluate<readonly Violation[]>(`(async () => {
    const layer = [...document.querySelectorAll(${JSON.stringify(TOP_LAYERS)})].filter((one) => one.getClientRects().length > 0).at(-1)
    const options = { runOnly: ${JSON.stringify(runOnly)}, resultTypes: ['violations'], ...(layer === undefined ? {} : { rules: { region: { enabled: false } } }) }
    const exceptions = ${JSON.stringify(EXCEPTIONS)}
    const { violations } = await axe.run(layer ?? document, options)
    const isExcepted = (rule, target) => exceptions.some((one) => one.rule === rule && document.querySelector(target)?.matches(one.at))
    return violations.map(({ id, nodes }) => ({ id, nodes: nodes.filter(({ target }) => !isExcepted(id, target.at(-1))) }))
  })()`)
  return found.flatMap(({ id, nodes }) =>
    nodes
      .slice(0, 4)
      .map(({ target, failureSummary = '' }) => `${id}: ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ').slice(0, 220)}`),
  )
}
