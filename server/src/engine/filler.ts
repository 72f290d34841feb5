import { VARIABLE_LIMITS, type Handler, type ReferenceError } from '@tickwheel/contract'
import type { Facts, Reason, Reference } from '@tickwheel/core'
import { filled, referencesOfRun } from '../store/references.ts'
import type { RunDefinition } from '../store/workflow-definition.ts'
import { keyOfReference, type GivenSecret, type ReferenceBook } from './reference-book.ts'

/** What a run is sent, with every reference filled in, or why it cannot be. */
export type Filled =
  | {
      readonly kind: 'filled'
      readonly handler: Handler
      readonly params: string
      readonly secrets: readonly GivenSecret[]
      /** names of the secrets that it refers to */
      readonly names: readonly string[]
    }
  | {
      readonly kind: 'unfit'
      readonly error: { readonly code: ReferenceError; readonly message: string }
      readonly reason: Reason
      readonly facts: Facts
    }

const NAMES_SHOWN = 5

/** Fills in what runs refer to, at the moment when they are sent. A run that refers to nothing costs nothing. */
export class Filler {
  readonly #book: ReferenceBook
  readonly #ofDefinitions = new WeakMap<RunDefinition, readonly Reference[]>()

  constructor(book: ReferenceBook) {
    this.#book = book
  }

  /** `params`: those of the run; undefined: the task's own. */
  async fill(groupId: number, definition: RunDefinition, params: string | undefined): Promise<Filled> {
    const { handler } = definition
    const given = { handler, params: params ?? definition.params }
    const references = this.referencesOf(definition, params)
    const hasText = given.params.includes('${{') || 'env' in handler || handler.kind === 'http'
    if (references.length === 0) return { kind: 'filled', ...(hasText ? filled(given, () => undefined) : given), secrets: [], names: [] }
    const found = await this.#book.resolve(groupId, references)
    if (found.kind === 'unknown') return unknown(found.names)
    if (found.kind === 'sealed') return sealed(found.names)
    const bytes = references.reduce(
      (sum, reference) => sum + timesIn(given, reference) * (found.values.get(keyOfReference(reference))?.length ?? 0),
      0,
    )
    if (bytes > VARIABLE_LIMITS.filledBytes) return tooLarge(bytes)
    const whole = filled(given, (reference) => found.values.get(keyOfReference(reference)))
    return { kind: 'filled', ...whole, secrets: found.secrets, names: secretNames(references) }
  }

  /** What a run refers to, by its definition and, where it has them, by params of its own. */
  referencesOf(definition: RunDefinition, params: string | undefined): readonly Reference[] {
    if (params === undefined || params === definition.params) {
      const known = this.#ofDefinitions.get(definition) ?? referencesOfRun(definition)
      this.#ofDefinitions.set(definition, known)
      return known
    }
    return referencesOfRun({ handler: definition.handler, params })
  }
}

export function secretNames(references: readonly Reference[]): string[] {
  return references.filter(({ kind }) => kind === 'secrets').map(({ name }) => name)
}

/** How often a text of the run names it, about: in JSON, which has every text. */
function timesIn(given: { readonly handler: Handler; readonly params: string }, { kind, name }: Reference): number {
  return JSON.stringify(given).match(new RegExp(`\\b${kind}\\.${name}\\b`, 'g'))?.length ?? 0
}

function unknown(names: readonly string[]): Filled {
  const message = `there is no ${shown(names)} any more in the group, or in all groups: create it again, or take it out of the task`
  return { kind: 'unfit', error: { code: 'REFERENCE_UNKNOWN', message }, reason: 'referenceUnknown', facts: { names: shown(names) } }
}

function sealed(names: readonly string[]): Filled {
  const message = `${shown(names)} cannot be opened: it was sealed with a key that this server was not given; put that key back (secrets.key, or secrets.previousKeys)`
  return { kind: 'unfit', error: { code: 'SECRET_SEALED', message }, reason: 'secretSealed', facts: { names: shown(names) } }
}

function tooLarge(bytes: number): Filled {
  const max = VARIABLE_LIMITS.filledBytes
  const message = `the variables and secrets that it refers to add ${bytes} characters; at most ${max} are sent`
  return { kind: 'unfit', error: { code: 'REFERENCES_TOO_LARGE', message }, reason: 'referencesTooLarge', facts: { bytes, max } }
}

/** The trace of a run has room for a few. */
function shown(names: readonly string[]): string {
  return names.slice(0, NAMES_SHOWN).join(', ') + (names.length > NAMES_SHOWN ? ', …' : '')
}
