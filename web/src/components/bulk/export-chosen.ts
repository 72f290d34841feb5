import type { TickwheelDocument } from '@tickwheel/contract'
import { call } from '../../api/client.ts'
import type { List } from '../../api/list.ts'
import { saveFile } from '../save-file.ts'

/** What an export names a thing by. */
export interface Named {
  readonly groupName: string
  readonly name: string
}

const PAGE_SIZE = 200
/** Beyond these a list is narrowed first, or whole groups are exported. */
export const EXPORT_MAX = 1000

/** Every row that a list has for a filter, page by page; at most `EXPORT_MAX`. */
export async function allRows<Row extends Named>(read: (page: { page: number; pageSize: number }) => Promise<List<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  for (let page = 1; rows.length < EXPORT_MAX; page += 1) {
    const list = await read({ page, pageSize: PAGE_SIZE })
    rows.push(...list.items)
    if (list.items.length < PAGE_SIZE) break
  }
  return rows.slice(0, EXPORT_MAX)
}

/** The chosen tasks or workflows, with their groups, as a document that can be applied to another installation. */
export function chosenOf(document: TickwheelDocument, kind: 'task' | 'workflow', chosen: readonly Named[]): TickwheelDocument {
  const keys = new Set(chosen.map(({ groupName, name }) => `${groupName}/${name}`))
  const isChosen = (thing: { readonly group: string; readonly name: string }) => keys.has(`${thing.group}/${thing.name}`)
  return {
    ...document,
    tasks: kind === 'task' ? (document.tasks ?? []).filter(isChosen) : [],
    workflows: kind === 'workflow' ? (document.workflows ?? []).filter(isChosen) : [],
  }
}

/** Hands the chosen ones to the browser as a YAML file. */
export async function exportChosen(kind: 'task' | 'workflow', chosen: readonly Named[]): Promise<void> {
  const groups = [...new Set(chosen.map(({ groupName }) => groupName))].join('/')
  const document = await call<TickwheelDocument>({ url: '/export', params: { groups, format: 'json' } })
  const { documentText } = await import('./document-writer.ts')
  saveFile(documentText(chosenOf(document, kind, chosen)), `tickwheel-${kind}s.yaml`)
}
