/**
 * One field in which two states of a thing differ. `path` is dotted; an entry of a list whose entries have names is written by its name, `steps[load].retry.max`.
 * A value that is absent was not there.
 */
export interface FieldChange {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The fields in which `after` differs from `before`, both plain JSON, in the order of `after` and then of what is only in `before`. Objects are compared field by
 * field, lists whose entries all have a `key` of their own by that key, other lists as a whole. The order of fields makes no difference; that of such entries does.
 */
export function changesBetween(before: Fields, after: Fields): FieldChange[] {
  return changesOfFields(before, after, '')
}

function changesOfFields(before: Fields, after: Fields, path: string): FieldChange[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])]
  return names.flatMap((name) => changesOf(before[name], after[name], path === '' ? name : `${path}.${name}`))
}

function changesOf(before: unknown, after: unknown, path: string): FieldChange[] {
  if (before === after) return []
  if (isFields(before) && isFields(after)) return changesOfFields(before, after, path)
  if (!Array.isArray(before) || !Array.isArray(after)) return [changed(path, before, after)]
  const [old, fresh] = [byKey(before), byKey(after)]
  if (old !== null && fresh !== null) return changesOfEntries(old, fresh, path)
  return sameJson(before, after) ? [] : [changed(path, before, after)]
}

function changesOfEntries(before: ReadonlyMap<string, Fields>, after: ReadonlyMap<string, Fields>, path: string): FieldChange[] {
  const keys = [...new Set([...after.keys(), ...before.keys()])]
  const changes = keys.flatMap((key) => changesOf(before.get(key), after.get(key), `${path}[${key}]`))
  const order = [[...before.keys()], [...after.keys()]] as const
  const isMoved = changes.length === 0 && !sameJson(order[0], order[1])
  return isMoved ? [changed(path, order[0], order[1])] : changes
}

/** The entries of a list by their names; null: not all have one, or two have the same. */
function byKey(list: readonly unknown[]): ReadonlyMap<string, Fields> | null {
  const entries = new Map<string, Fields>()
  for (const entry of list) {
    if (!isFields(entry) || typeof entry['key'] !== 'string') return null
    entries.set(entry['key'], entry)
  }
  return entries.size === list.length && entries.size > 0 ? entries : null
}

function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((entry, at) => sameJson(entry, other[at]))
  if (!isFields(one) || !isFields(other)) return false
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => name in other && sameJson(one[name], other[name]))
}

function changed(path: string, before: unknown, after: unknown): FieldChange {
  return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
