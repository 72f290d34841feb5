/* What is put into calls: what a schema asks for, and what nobody asks for. The same seed gives the same values. */
import type { TSchema } from 'typebox'
import type { Chance } from '../kit/chance.ts'

/** The parts of JSON Schema that the contract uses. */
interface Shape {
  readonly type?: string
  readonly anyOf?: readonly Shape[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape | readonly Shape[]
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly examples?: readonly unknown[]
  readonly default?: unknown
}

/** What there is or was, as answers told it. */
export interface Known {
  /** numbers by the name of the field in which they stood: `groupId`, `taskId`, `version` … */
  readonly numbers: Map<string, number[]>
  readonly texts: string[]
}

/** Stands for a token that JSON.stringify cannot write: `raw('1e999')`. */
const raw = (token: string): string => `@@${token}@@`
const RAW = /"@@(.*?)@@"/g

/** The text of a value, with the tokens that stand in it. */
export function textOf(value: unknown): string {
  return JSON.stringify(value).replace(RAW, (_all, token: string) => token)
}

const TEXTS: readonly [string, ...string[]] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '😀'.repeat(40),
  '\u202egnp.exe',
  '\ud800',
  '\uffff',
  'ﷺ'.repeat(50),
  'Z\u0351\u036b\u0343'.repeat(30),
  "' OR 1=1 --",
  "'; DROP TABLE task; --",
  '%\\_',
  '" onmouseover="alert(1)',
  '<script>alert(1)</script>',
  '${7*7}{{7*7}}#{7*7}<%= 7*7 %>',
  '$(reboot)`reboot`;reboot|reboot',
  'a\r\nSet-Cookie: a=b',
  '../../../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  'Infinity',
  '-1',
  '0x10',
  '1e308',
  '9007199254740993',
  'true',
  'default',
  'UTC',
  'Mars/Olympus',
  'http://[::1]:99999/',
  'http://user:pw@169.254.169.254/',
  'file:///etc/passwd',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00Z',
  '2026-11-22T08:00:00.000+23:59',
  '* * * * * *',
  '*/0 * * * *',
  '0 0 30 2 *',
  '0 0 0 29 2 ? 2099',
  '99 99 99 99 99 99',
  `${'0,'.repeat(120)}0 * * * *`,
  '@every 1s',
  'L W * # ?',
  '1/0',
  'params.a.b.c',
  '[1,2,3].map(x, [1,2,3].map(y, x*y))',
  `${'('.repeat(500)}1${')'.repeat(500)}`,
  `${'!'.repeat(1000)}true`,
  '"a" + 1',
  'steps["x"].output',
  'x'.repeat(300),
  'x'.repeat(70_000),
]

const NUMBERS: readonly [unknown, ...unknown[]] = [
  -1,
  0,
  0.5,
  1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  1e308,
  5e-324,
  raw('1e999'),
  raw('-0'),
  raw('1E400'),
]

/** Anything at all, of any type and size. */
export function hostile(chance: Chance, depth = 0): unknown {
  switch (chance.between(0, depth > 2 ? 4 : 9)) {
    case 0:
      return null
    case 1:
      return chance.next() < 0.5
    case 2:
      return chance.pick(NUMBERS)
    case 3:
    case 4:
      return chance.pick(TEXTS)
    case 5:
      return Array.from({ length: chance.pick([0, 1, 3, 2000]) }, (_, index) => (index < 3 ? hostile(chance, depth + 1) : index))
    case 6:
      return Object.fromEntries(Array.from({ length: chance.pick([0, 1, 5, 300]) }, (_, index) => [keyOf(chance, index), index]))
    case 7:
      return nested(chance.pick([5, 40, 60, 64, 500, 20_000]), chance.next() < 0.5)
    case 8:
      return raw(chance.pick(['{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{}}}', '{"a":1,"a":2}', '[', 'NaN', "'a'"]))
    default:
      return { [chance.pick(TEXTS)]: hostile(chance, depth + 1) }
  }
}

function keyOf(chance: Chance, index: number): string {
  return index % 10 === 0 ? chance.pick(TEXTS) : `k${String(index)}`
}

function nested(depth: number, inObjects: boolean): unknown {
  return raw(inObjects ? `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}` : `${'['.repeat(depth)}${']'.repeat(depth)}`)
}

/** A text for a place where only texts can stand: a query, a path, a header. */
export function hostileText(chance: Chance): string {
  return chance.next() < 0.7 ? chance.pick(TEXTS) : String(chance.pick(NUMBERS)).replaceAll('@@', '')
}

/**
 * A value of the schema, in which each place is replaced by something else with the given chance: 0 for a value that is valid as far as the schema tells.
 */
export function valueOf(schema: TSchema, chance: Chance, { wrong, known, name = '' }: Filling): unknown {
  return made(schema, { chance, wrong, known, name, depth: 0 })
}

export interface Filling {
  readonly wrong: number
  readonly known: Known
  /** of the field that the value is for */
  readonly name?: string
}

/** The same value, each place of it replaced with the given chance; ids that it names by others that are known, now and then. */
export function changed(value: unknown, chance: Chance, { wrong, known, name = '' }: Filling): unknown {
  if (chance.next() < wrong) return hostile(chance)
  if (typeof value === 'number') {
    const numbers = known.numbers.get(name.replace(/s$/, '')) ?? []
    return chance.next() < 0.5 ? (numbers[chance.between(0, numbers.length - 1)] ?? value) : value
  }
  if (typeof value === 'string' && /^(name|appName)$/.test(name) && chance.next() < 0.8) return `n${chance.between(0, 1e9).toString(36)}`
  if (Array.isArray(value)) return value.map((item) => changed(item, chance, { wrong, known, name }))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, changed(inner, chance, { wrong, known, name: field })]))
}

interface Making extends Required<Filling> {
  readonly chance: Chance
  readonly depth: number
}

function made(shape: Shape, making: Making): unknown {
  const { chance, wrong } = making
  if (chance.next() < wrong) return hostile(chance)
  if (shape.anyOf !== undefined) return made(shape.anyOf[chance.between(0, shape.anyOf.length - 1)] ?? {}, making)
  if (shape.enum !== undefined) return shape.enum[chance.between(0, shape.enum.length - 1)]
  if (shape.const !== undefined) return shape.const
  switch (shape.type) {
    case 'null':
      return null
    case 'boolean':
      return chance.next() < 0.5
    case 'integer':
    case 'number':
      return madeNumber(shape, making)
    case 'string':
      return madeText(shape, making)
    case 'array':
      return madeList(shape, making)
    case 'object':
      return madeObject(shape, making)
    default:
      return making.depth > 4 ? 1 : hostile(chance, 2)
  }
}

function madeNumber({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Shape, { chance, known, name }: Making): number {
  const numbers = known.numbers.get(name.replace(/s$/, '')) ?? []
  const some = numbers[chance.between(0, numbers.length - 1)]
  if (some !== undefined && chance.next() < 0.9 && some >= minimum && some <= maximum) return some
  return chance.pick([minimum, Math.min(maximum, minimum + 1), chance.between(minimum, Math.min(maximum, minimum + 100)), maximum])
}

/** Texts that fit patterns of the contract. */
const FITTING: readonly string[] = ['a1', 'aa/bb', 'a-b', 'http://127.0.0.1:1/x', 'twe_x', 'PT1H', '0 0 * * * *', 'A', '1']

function madeText(
  { minLength = 0, maxLength = 1000, pattern, format, examples = [], default: usual }: Shape,
  { chance, known }: Making,
): string {
  if (format === 'date-time')
    return chance.pick(['2026-11-22T08:00:00.000Z', '2026-11-25T08:00:00+08:00', '2020-01-01T00:00:00Z', '2099-12-31T23:59:59Z'])
  const fits = (text: string): boolean =>
    text.length >= minLength && text.length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(text))
  const offered = [...[...examples, usual].filter((text) => typeof text === 'string'), ...known.texts, ...FITTING, ...TEXTS].filter(fits)
  const invented = `n${chance.between(0, 1_000_000).toString(36)}`
  const all: readonly [string, ...string[]] = [fits(invented) ? invented : 'x'.repeat(Math.max(1, minLength)), ...offered]
  return chance.next() < 0.5 ? all[0] : chance.pick(all)
}

function madeList({ items, minItems = 0, maxItems = 3 }: Shape, making: Making): unknown[] {
  if (Array.isArray(items)) return items.map((item) => made(item, deeper(making)))
  const length = making.depth > 6 ? minItems : making.chance.between(minItems, Math.max(minItems, Math.min(3, maxItems)))
  return Array.from({ length }, () => made((items ?? {}) as Shape, deeper(making)))
}

function madeObject({ properties = {}, patternProperties, required = [] }: Shape, making: Making): unknown {
  const { chance, wrong, depth } = making
  const [entry] = Object.values(patternProperties ?? {})
  const wanted = Object.entries(properties).filter(([name]) =>
    required.includes(name) ? chance.next() >= wrong / 2 : depth < 5 && chance.next() < 0.5,
  )
  const fields = wanted.map(([name, shape]) => [name, made(shape, { ...deeper(making), name })] as const)
  const others = entry === undefined || depth > 5 ? [] : [[chance.pick(TEXTS), made(entry, deeper(making))] as const]
  const unknown = chance.next() < wrong ? [[chance.pick(TEXTS), 1] as const] : []
  return Object.fromEntries([...fields, ...others, ...unknown])
}

function deeper(making: Making): Making {
  return { ...making, depth: making.depth + 1 }
}
