/** What keys of one letter do to the page that is open. It is found by how pages are built, so that a new list has its keys by itself. */

const FIELD = 'input:not([type="checkbox"], [type="radio"], [type="hidden"]), textarea'

/** To the field that narrows the list down; else to the first filter. False: the page has none. */
export function focusFilter(page: HTMLElement): boolean {
  const places = [...page.querySelectorAll<HTMLElement>('.search, [role="search"]')].filter(isShown)
  const field = places.map((place) => (place.matches('input') ? place : place.querySelector<HTMLElement>(FIELD))).find((found) => found !== null && isShown(found))
  if (field === undefined || field === null) return false
  field.focus()
  if (field instanceof HTMLInputElement) field.select()
  return true
}

/** Presses what makes a new entry of the list: the one button of its head that stands out. False: there is none, or it is not for this person. */
export function pressCreate(page: HTMLElement): boolean {
  const button = [...page.querySelectorAll<HTMLElement>('.page-head .el-button--primary')].find((found) => isShown(found) && !found.matches(':disabled, .is-disabled'))
  button?.click()
  return button !== undefined
}

/** To the link of the next or the previous row of the list. */
export function stepRow(page: HTMLElement, by: 1 | -1): void {
  const rows = [...page.querySelectorAll<HTMLElement>('.el-table__row, [data-row]')].filter(isShown)
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))]
  // the thing itself, rather than the group before it
  const link = row?.querySelector<HTMLElement>('a[href]:not(.secondary)') ?? row?.querySelector<HTMLElement>('a[href], button:not(:disabled)')
  link?.focus()
  row?.scrollIntoView({ block: 'nearest' })
}

/** Somebody types here, or chooses by letters: a field, an editor, a menu. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.matches('textarea, select, [role="textbox"], [role="combobox"], [role="menuitem"], [role="option"]')) return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'reset'].includes(target.type)
}

/** A dialog or a drawer lies above the page: its keys are its own. */
export function isCovered(): boolean {
  return document.querySelector('dialog[open]') !== null || [...document.querySelectorAll<HTMLElement>('.el-overlay')].some(isShown)
}

function isShown(element: HTMLElement): boolean {
  return element.getClientRects().length > 0
}
