import type { TSchema } from 'typebox'
import { ConfigSchema, type SettingTexts } from './schema.ts'

/** One setting and its three names. */
export interface SettingKey extends SettingTexts {
  /** `database.url` */
  readonly path: string
  /** `--database-url` */
  readonly flag: string
  /** `TICKWHEEL_DATABASE_URL` */
  readonly variable: string
  /** in words: `text`, `true or false`, `whole number 0–65535` … */
  readonly kind: string
  readonly schema: TSchema
}

/** Every setting, in the order of the schema. */
export const settingKeys: readonly SettingKey[] = leaves(ConfigSchema.properties, [])

function leaves(properties: Readonly<Record<string, TSchema>>, above: readonly string[]): SettingKey[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const place = [...above, name]
    const inner = propertiesOf(schema)
    return inner === null ? [leaf(schema, place)] : leaves(inner, place)
  })
}

function propertiesOf(schema: TSchema): Record<string, TSchema> | null {
  return 'properties' in schema ? (schema.properties as Record<string, TSchema>) : null
}

function leaf(schema: TSchema, place: readonly string[]): SettingKey {
  const words = place.map((part) => part.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join('-')
  const texts = schema as TSchema & SettingTexts
  return {
    path: place.join('.'),
    flag: `--${words}`,
    variable: `TICKWHEEL_${words.replaceAll('-', '_').toUpperCase()}`,
    kind: kindOf(schema),
    schema,
    default: texts.default,
    description: texts.description,
    zh: texts.zh,
    ...(texts.secret === true ? { secret: true } : {}),
  }
}

/** What a value must be, in words. */
export function kindOf(schema: TSchema): string {
  const {
    type,
    minimum,
    maximum,
    exclusiveMinimum,
    enum: choices,
  } = schema as { type?: string; minimum?: number; maximum?: number; exclusiveMinimum?: number; enum?: string[] }
  if (choices !== undefined) return `one of ${choices.join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'integer') return `whole number ${minimum}–${maximum}`
  if (type === 'number') return `number above ${exclusiveMinimum}, at most ${maximum}`
  return 'text'
}
