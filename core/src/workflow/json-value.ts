import { WORKFLOW_LIMITS, type Json } from './graph.ts'

export type JsonResult =
  { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'tooLarge' } | { readonly kind: 'noJson'; readonly what: string }

/** Deeper is no data that a person wrote, and would break whoever goes through it by recursion. */
export const JSON_DEPTH = 64

/**
 * What an expression gave, as JSON: whole numbers of CEL (bigint, unsigned) become numbers, timestamps RFC 3339. At most 64 KiB, and looked at no further
 * than that, because a result may hold one long text many thousand times.
 */
export function toJson(value: unknown, maxBytes: number = WORKFLOW_LIMITS.resultBytes): JsonResult {
  const reader = new Reader(maxBytes)
  try {
    const json = reader.read(value, 0)
    return jsonBytes(json) > maxBytes ? { kind: 'tooLarge' } : { kind: 'value', value: json }
  } catch (stop) {
    if (stop instanceof Stop) return stop.result
    throw stop
  }
}

/** Whether a value is nested deeper than is taken; found without recursion, which such a value would break. */
export function isTooDeep(value: unknown, maxDepth: number = JSON_DEPTH): boolean {
  let level: readonly unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return true
    level = level.flatMap((part): unknown[] => (typeof part === 'object' && part !== null ? Object.values(part) : []))
  }
  return false
}

/** The length of a value's JSON in UTF-8. */
export function jsonBytes(value: Json): number {
  return utf8Bytes(JSON.stringify(value))
}

/** The length of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // A surrogate is half of a character that takes four bytes.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}

class Stop extends Error {
  readonly result: JsonResult
  constructor(result: JsonResult) {
    super(result.kind)
    this.result = result
  }
}

class Reader {
  #left: number

  constructor(maxBytes: number) {
    this.#left = maxBytes
  }

  read(value: unknown, depth: number): Json {
    switch (typeof value) {
      case 'string':
        this.#spend(value.length + 2)
        return value
      case 'boolean':
        this.#spend(1)
        return value
      case 'number':
      case 'bigint':
        this.#spend(1)
        return numberOf(value)
      case 'object':
        if (depth > JSON_DEPTH) throw new Stop({ kind: 'tooLarge' })
        return value === null ? null : this.#readObject(value, depth + 1)
      default:
        throw noJson(`a ${typeof value}`)
    }
  }

  #readObject(value: object, depth: number): Json {
    this.#spend(2)
    if (Array.isArray(value)) return value.map((part: unknown) => this.read(part, depth))
    if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [this.#readKey(key), this.read(part, depth)]))
    if (value instanceof Date) return instantOf(value)
    // CEL's unsigned integers are objects that stand for a bigint.
    const primitive: unknown = value.valueOf()
    if (typeof primitive === 'bigint') return numberOf(primitive)
    throw noJson(`a ${value.constructor.name.toLowerCase()}`)
  }

  #readKey(key: string): string {
    this.#spend(key.length + 3)
    return key
  }

  #spend(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw new Stop({ kind: 'tooLarge' })
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function numberOf(value: number | bigint): number {
  const number = Number(value)
  if (!Number.isFinite(number)) throw noJson('a number without end')
  if (typeof value === 'bigint' && !Number.isSafeInteger(number)) throw noJson(`the whole number ${value}, above 2^53`)
  return number
}

function instantOf(date: Date): string {
  if (Number.isNaN(date.getTime())) throw noJson('an instant that there is not')
  return date.toISOString()
}

function noJson(what: string): Stop {
  return new Stop({ kind: 'noJson', what })
}
