import type { LineTuple, Log, LogEnd } from '@tickwheel/contract'
import type { Masker } from '@tickwheel/core'
import { attemptKey } from '../store/attempts.ts'
import type { Database } from '../store/database.ts'
import { readParams } from '../store/definitions.ts'
import type { RunFrame } from '../store/judge.ts'
import { runsForMasks } from '../store/runs-for-masks.ts'
import type { Definitions } from './definitions.ts'
import { secretNames, type Filler } from './filler.ts'
import type { ReferenceBook } from './reference-book.ts'

/** Of so many attempts it is known which secrets they were given; of others it is read again. */
const RUNS_KEPT = 50_000
/** Attempts whose last line may begin a secret that the next goes on with. */
const CARRIES_KEPT = 10_000
/** Texts so long were perhaps cut at a limit, in the middle of a secret. */
const CUT_CHARS = { error: 16_000, detail: 1_000, line: 16_384 }

/** Which secrets a run was given, by the group whose names they are; null: none. */
type Given = { readonly groupId: number; readonly names: readonly string[] } | null

interface AttemptKey {
  readonly instanceId: number
  readonly attempt: number
}

/** `sealed`: nothing that the run says may be kept, because it is not known here what to hide. */
export type RunMask = Masker | null | 'sealed'

export interface RunMasksOptions {
  readonly db: Database
  readonly definitions: Definitions
  readonly filler: Filler
  readonly book: ReferenceBook
}

/**
 * Hides the secrets that runs were given in all that comes back of them, whatever the link. Which they were is noted when a run is sent; after a restart,
 * or at another node, it follows from what the run refers to, which is in the store, as the values are not.
 */
export class RunMasks {
  readonly #options: RunMasksOptions
  /** by attempt: the next one may be given another value, by another node */
  readonly #given = new Map<string, Given>()
  readonly #carries = new Map<string, { readonly nextSeq: number; readonly carry: string }>()

  constructor(options: RunMasksOptions) {
    this.#options = options
  }

  /** A run is being sent. `names`: of the secrets that it is given. */
  sent(attempt: AttemptKey, groupId: number, names: readonly string[]): void {
    const key = attemptKey(attempt)
    this.#given.delete(key)
    this.#given.set(key, names.length === 0 ? null : { groupId, names })
    const [oldest] = this.#given.keys()
    if (this.#given.size > RUNS_KEPT && oldest !== undefined) this.#given.delete(oldest)
  }

  /** What hides the secrets of each of these attempts, by `attemptKey`; null: it has none. One read for those that are not known. */
  async of(attempts: readonly AttemptKey[]): Promise<ReadonlyMap<string, RunMask>> {
    const given = await this.#givenOf(attempts)
    const masks = new Map<string, RunMask>()
    for (const [key, known] of given)
      masks.set(key, known === null ? null : ((await this.#options.book.maskerOf(known.groupId, known.names)) ?? 'sealed'))
    return masks
  }

  /** What an executor said of a run, without its secrets. */
  frame<Frame extends RunFrame>(frame: Frame, masker: Masker): Frame {
    switch (frame.type) {
      case 'accepted':
      case 'started':
        return frame
      case 'rejected':
        return { ...frame, detail: cutText(masker, frame.detail, CUT_CHARS.detail) }
      case 'progress':
        return { ...frame, text: cutText(masker, frame.text, CUT_CHARS.detail) }
      case 'map':
        return {
          ...frame,
          shards: frame.shards.map(({ key, items }) => ({ key: masker.text(key), items: items.map((item) => masker.json(item)) })),
        }
      case 'finished':
        return {
          ...frame,
          ...(frame.result === undefined ? {} : { result: masker.json(frame.result) }),
          ...(frame.error === undefined
            ? {}
            : { error: { code: masker.text(frame.error.code), message: cutText(masker, frame.error.message, CUT_CHARS.error) } }),
        }
    }
  }

  /** A chunk of a log without secrets, also where one goes over from the chunk before it. */
  log(frame: Log | LogEnd, masker: Masker): Log | LogEnd {
    const key = attemptKey(frame)
    if (frame.type === 'logEnd') {
      this.#carries.delete(key)
      return frame
    }
    const before = this.#carries.get(key)
    const texts = frame.lines.map(([, , , text]) => text)
    const { lines, carry } = masker.lines(texts, before?.nextSeq === frame.firstSeq ? before.carry : '')
    this.#carry(key, frame.firstSeq + frame.lines.length + (frame.dropped ?? 0), carry)
    if (lines === texts && !texts.some(isLong)) return frame
    return { ...frame, lines: frame.lines.map((line, place) => withText(line, cutLine(masker, lines[place] ?? ''))) }
  }

  #carry(key: string, nextSeq: number, carry: string): void {
    this.#carries.delete(key)
    if (carry === '') return
    this.#carries.set(key, { nextSeq, carry })
    const [oldest] = this.#carries.keys()
    if (this.#carries.size > CARRIES_KEPT && oldest !== undefined) this.#carries.delete(oldest)
  }

  async #givenOf(attempts: readonly AttemptKey[]): Promise<Map<string, Given>> {
    const unknown = attempts.filter((attempt) => !this.#given.has(attemptKey(attempt)))
    if (unknown.length > 0) await this.#learn(unknown)
    return new Map(attempts.map(attemptKey).map((key) => [key, this.#given.get(key) ?? null]))
  }

  /** A run that the store does not have, or that is damaged, was given nothing: nothing that it says is taken, either. */
  async #learn(attempts: readonly AttemptKey[]): Promise<void> {
    const { db, definitions, filler, book } = this.#options
    const numbers = Map.groupBy(attempts, ({ instanceId }) => instanceId)
    const runs = await runsForMasks(db, [...numbers.keys()])
    await definitions.loadOf(runs.map((run) => run.keys))
    const params = await readParams(db, [...new Set(runs.flatMap(({ id, parentId }) => (parentId === null ? [id] : [id, parentId])))])
    for (const { id, groupId, parentId, keys } of runs) {
      const definition = definitions.peekOf(keys)
      if (definition === null || definition === undefined) continue
      const own = params.get(id) ?? params.get(parentId ?? 0)
      const names = secretNames(filler.referencesOf(definition, own))
      for (const attempt of numbers.get(id) ?? []) this.sent(attempt, groupId, names)
      // another node may have sent it a value that was set a moment ago
      if (names.length > 0) book.refresh()
    }
  }
}

function cutText(masker: Masker, text: string, limit: number): string {
  return masker.text(text, { isCut: text.length >= limit })
}

function isLong(text: string): boolean {
  return text.length >= CUT_CHARS.line
}

function cutLine(masker: Masker, text: string): string {
  return isLong(text) ? masker.text(text, { isCut: true }) : text
}

function withText([at, stream, level, text]: LineTuple, masked: string): LineTuple {
  return [at, stream, level, masked === text ? text : masked]
}
