import { deflateSync, inflateSync } from 'node:zlib'
import { LineTuple } from '@tickwheel/contract'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { parseJson } from './definition.ts'
import { BrokenData } from './schedules.ts'

/** `at`: when its last line was printed; a chunk without lines has that of the chunk before. */
export interface ChunkRow {
  readonly attempt: number
  readonly first_seq: number
  readonly dropped: number
  readonly at: number
  readonly codec: number
  readonly body: Uint8Array
}

const linesCheck = Compile(Type.Array(LineTuple))

/** How a body is kept; stored, never given a new meaning. */
const CODEC = { json: 0, deflated: 1 } as const
const DEFLATE_FROM_BYTES = 1024

/** Lines as they are stored. `bytes`: their length before they are packed. */
export function bodyOf(lines: readonly LineTuple[]): { readonly codec: number; readonly bytes: number; readonly body: Uint8Array } {
  const text = Buffer.from(JSON.stringify(lines))
  if (text.length <= DEFLATE_FROM_BYTES) return { codec: CODEC.json, bytes: text.length, body: text }
  return { codec: CODEC.deflated, bytes: text.length, body: deflateSync(text, { level: 1 }) }
}

/** The lines of a stored chunk. Throws `BrokenData` for what this program did not write. */
export function linesOf(row: ChunkRow): LineTuple[] {
  const bytes = row.codec === CODEC.deflated ? inflateSync(row.body) : row.body
  const lines = parseJson(new TextDecoder().decode(bytes))
  if (linesCheck.Check(lines)) return lines
  throw new BrokenData(`a stored chunk of a log is not valid: attempt ${row.attempt}, line ${row.first_seq}`)
}
