import { Masker, type Reference } from '@tickwheel/core'

/**
 * What the engine asks of variables and secrets. What it is told is for the moment: it is sent, and never kept or written down.
 */
export interface ReferenceBook {
  /** What tasks of a group get for these names now. */
  resolve(groupId: number, references: readonly Reference[]): Promise<Resolved>
  /**
   * Hides what runs of a group that refer to these secrets may have been given, values that were replaced or deleted since included. Null: one of them cannot
   * be opened here, so that nothing that such a run says may be kept.
   */
  maskerOf(groupId: number, names: readonly string[]): Promise<Masker | null>
  /** What is asked next must know every change that has been committed by now. */
  refresh(): void
}

export type Resolved =
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, string>; readonly secrets: readonly GivenSecret[] }
  /** there is nothing of these names */
  | { readonly kind: 'unknown'; readonly names: readonly string[] }
  /** sealed with a key that this server was not given */
  | { readonly kind: 'sealed'; readonly names: readonly string[] }

export interface GivenSecret {
  readonly id: number
  readonly value: string
}

/** A run was given secrets: their last use. */
export interface SecretUse {
  readonly secretId: number
  readonly taskId: number
  readonly groupId: number
}

/** How a reference is called in maps and in messages: `secrets.NAME`. */
export function keyOfReference({ kind, name }: Reference): string {
  return `${kind}.${name}`
}

/** Of an engine that was given none: nothing is known. */
export const EMPTY_BOOK: ReferenceBook = {
  resolve: async (_groupId, references) => ({ kind: 'unknown', names: references.map(keyOfReference) }),
  maskerOf: async () => new Masker([]),
  refresh: () => undefined,
}
