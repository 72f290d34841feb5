/** Values inside values: more than any body of the API needs, and far from what would overflow the stack of those that walk it. */
export const DEPTH_MAX = 64

/** What makes a parsed body unfit to be looked at; null: nothing. It walks without recursion, as the body may be as deep as it is long. */
export function trapIn(body: unknown): string | null {
  let level: readonly object[] = isObject(body) ? [body] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return `it is nested deeper than ${DEPTH_MAX} levels`
    if (level.some(reachesPrototype)) return 'it has a field that reaches for the prototype of objects'
    level = level.flatMap((value) => Object.values(value).filter(isObject))
  }
  return null
}

function reachesPrototype(value: object): boolean {
  if (Object.hasOwn(value, '__proto__')) return true
  const { constructor } = value
  return Object.hasOwn(value, 'constructor') && isObject(constructor) && Object.hasOwn(constructor, 'prototype')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
