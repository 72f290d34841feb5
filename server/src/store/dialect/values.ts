import type { Value } from '../database.ts'

/** The parameters of a compiled query, as what every database knows. */
export function values(parameters: readonly unknown[]): Value[] {
  return parameters.map((parameter) => {
    if (parameter === null || typeof parameter === 'string' || typeof parameter === 'number' || parameter instanceof Uint8Array)
      return parameter
    throw new TypeError(`a store parameter must be text, number, bytes or null, not ${typeof parameter}`)
  })
}
