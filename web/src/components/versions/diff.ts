/** What differs between two states of a thing, such as saved versions of a task: field by field, and line by line where a value has lines. */
export interface LineChange {
  readonly kind: 'same' | 'then' | 'now'
  readonly text: string
}

export interface FieldChange {
  /** dotted, as the API names it */
  readonly path: string
  readonly then: string
  readonly now: string
  /** set when either value has more than one line */
  readonly lines: readonly LineChange[] | null
}

/** The fields in which two states differ, in the order of the editor. */
export function fieldChanges(then: object, now: object): FieldChange[] {
  const before = flatten(then)
  const after = flatten(now)
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => placeOf(a) - placeOf(b))
  return paths.flatMap((path) => {
    const [old, fresh] = [before.get(path) ?? '', after.get(path) ?? '']
    if (old === fresh) return []
    return [{ path, then: old, now: fresh, lines: old.includes('\n') || fresh.includes('\n') ? lineChanges(old, fresh) : null }]
  })
}

const ORDER = ['name', 'schedule', 'handler', 'params', 'sharding', 'retry', 'onLost', 'pauseAfterFailures', 'timeoutMs', 'killGraceMs', 'queueTimeoutMs', 'overlap', 'concurrency', 'misfire', 'routing', 'labels', 'routingKey', 'priority', 'description', 'owner', 'tags', 'notes']

function placeOf(path: string): number {
  const place = ORDER.indexOf(path.split('.')[0] ?? '')
  return place < 0 ? ORDER.length : place
}

/** Above this many lines on both sides the middle is shown as replaced: the table of a longest common subsequence would be too large. */
const MAX_CELLS = 4_000_000

/** A shortest list of kept, removed and added lines. */
export function lineChanges(then: string, now: string): LineChange[] {
  const [a, b] = [then.split('\n'), now.split('\n')]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  return [...a.slice(0, head).map(same), ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)), ...a.slice(a.length - tail).map(same)]
}

function middle(a: readonly string[], b: readonly string[]): LineChange[] {
  if (a.length * b.length > MAX_CELLS) return [...a.map(old), ...b.map(fresh)]
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  const at = (row: number, column: number) => longest[row * width + column] ?? 0
  for (let row = a.length - 1; row >= 0; row -= 1) {
    for (let column = b.length - 1; column >= 0; column -= 1) {
      longest[row * width + column] = a[row] === b[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  return walk(a, b, at)
}

function walk(a: readonly string[], b: readonly string[], at: (row: number, column: number) => number): LineChange[] {
  const changes: LineChange[] = []
  let [row, column] = [0, 0]
  while (row < a.length || column < b.length) {
    const [left, right] = [a[row], b[column]]
    if (left !== undefined && left === right) {
      changes.push(same(left))
      row += 1
      column += 1
    } else if (right === undefined || (left !== undefined && at(row + 1, column) >= at(row, column + 1))) {
      changes.push(old(left ?? ''))
      row += 1
    } else {
      changes.push(fresh(right))
      column += 1
    }
  }
  return changes
}

const same = (text: string): LineChange => ({ kind: 'same', text })
const old = (text: string): LineChange => ({ kind: 'then', text })
const fresh = (text: string): LineChange => ({ kind: 'now', text })

function flatten(definition: object): Map<string, string> {
  const fields = new Map<string, string>()
  collect(definition, '', fields)
  return fields
}

function collect(value: unknown, path: string, into: Map<string, string>): void {
  if (Array.isArray(value)) into.set(path, value.some((part) => typeof part === 'object') ? JSON.stringify(value, null, 2) : value.join(', '))
  else if (typeof value === 'object' && value !== null) for (const [name, part] of Object.entries(value)) collect(part, path === '' ? name : `${path}.${name}`, into)
  else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') into.set(path, String(value))
}
