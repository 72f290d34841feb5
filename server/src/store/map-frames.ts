import { MAP_LIMITS, MappedShard, MAX_SHARDS, type MapFrame } from '@tickwheel/contract'
import type { ShardPart } from '@tickwheel/core'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Database, ReadTx, Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { findOlderNode, keepOut, MAP_LEVEL } from './levels.ts'
import { listOfNumbers } from './list.ts'
import type { MapFrameRow, OpenInstanceRow } from './schema.ts'
import { BrokenData } from './schedules.ts'

const shardsCheck = Compile(Type.Array(MappedShard))

/** `kept`: with so many shards now; `bad`: it will never be kept. */
export type Kept = { readonly kind: 'kept'; readonly mapped: number } | { readonly kind: 'already' } | { readonly kind: 'bad' }

/**
 * Keeps what an attempt, whose row this transaction has locked, has split off. Frames are known by their numbers, in whatever order they come. Refused
 * while a live node would take a run that its handler has split for one without shards; from the first such run on, older programs are kept out.
 */
export async function keepMapFrame(tx: Tx, row: OpenInstanceRow, { seq, shards }: MapFrame): Promise<Kept> {
  const mapped = (row.mapped ?? 0) + shards.length
  // a part of a run is not split again, and what combines results splits nothing
  if (row.shard_index !== null || row.reduce !== null) return { kind: 'bad' }
  if (shards.some((shard) => Buffer.byteLength(JSON.stringify(shard.items)) > MAP_LIMITS.shardBytes)) return { kind: 'bad' }
  const body = JSON.stringify(shards.map(({ key, items }) => ({ key, items })))
  const frame = { instance_id: row.id, attempt: row.attempt, seq, shards: shards.length, bytes: body.length, body }
  if (mapped > MAX_SHARDS) return (await hasFrame(tx, frame)) ? { kind: 'already' } : { kind: 'bad' }
  if (row.mapped === null) {
    if ((await findOlderNode(tx, MAP_LEVEL, await tx.now())) !== null) return { kind: 'bad' }
    await keepOut(tx, MAP_LEVEL)
  }
  return (await tx.insertNew('map_frame', [frame])) === 1 ? { kind: 'kept', mapped } : { kind: 'already' }
}

async function hasFrame(tx: Tx, { instance_id: id, attempt, seq }: MapFrameRow): Promise<boolean> {
  const rows = await tx.all('SELECT seq FROM map_frame WHERE instance_id = ? AND attempt = ? AND seq = ?', [id, attempt, seq])
  return rows.length > 0
}

/** Forgets what runs have split off: their attempt did not succeed, or they have ended. */
export async function dropMapFrames(tx: Tx, instanceIds: readonly number[]): Promise<void> {
  if (instanceIds.length === 0) return
  const list = listOfNumbers(instanceIds)
  await tx.run(`DELETE FROM map_frame WHERE instance_id IN ${list.sql}`, list.params)
}

/** So much of what was split off is made into shards by one transaction, about. */
const BYTES_AT_ONCE = 1_048_576
const FRAMES_AT_ONCE = 100

/** The next shards of a run that its handler has split, and the frames that they are in: whoever makes them deletes these, so the next ones come first. */
export interface MappedParts {
  readonly parts: readonly ShardPart[]
  readonly seqs: readonly number[]
}

/** At most about 1 MiB and `limit` shards; nothing when all are made. Throws `BrokenData` for text that this program did not write. */
export async function nextMappedParts(db: Database, { id, attempt }: { id: number; attempt: number }, limit: number): Promise<MappedParts> {
  return db.read(async (tx) => {
    const seqs = await nextFrames(tx, { id, attempt }, limit)
    if (seqs.length === 0) return { parts: [], seqs }
    const list = listOfNumbers(seqs)
    const rows = await tx.all<{ body: string }>(
      `SELECT body FROM map_frame WHERE instance_id = ? AND attempt = ? AND seq IN ${list.sql} ORDER BY seq`,
      [id, attempt, ...list.params],
    )
    return { parts: rows.flatMap(({ body }) => partsIn(body)), seqs }
  })
}

async function nextFrames(tx: ReadTx, { id, attempt }: { id: number; attempt: number }, limit: number): Promise<number[]> {
  const rows = await tx.all<Pick<MapFrameRow, 'seq' | 'shards' | 'bytes'>>(
    `SELECT seq, shards, bytes FROM map_frame WHERE instance_id = ? AND attempt = ? ORDER BY seq LIMIT ${FRAMES_AT_ONCE}`,
    [id, attempt],
  )
  const seqs: number[] = []
  let [shards, bytes] = [0, 0]
  for (const row of rows) {
    shards += row.shards
    bytes += row.bytes
    // the first always goes, however long it is
    if (seqs.length > 0 && (shards > limit || bytes > BYTES_AT_ONCE)) break
    seqs.push(row.seq)
  }
  return seqs
}

function partsIn(body: string): ShardPart[] {
  const shards = parseJson(body)
  if (!shardsCheck.Check(shards)) throw new BrokenData(`stored shards are not valid: ${body.slice(0, 200)}`)
  return shards.map(({ key, items }) => ({ key, items, mapped: true }))
}

/** The shards of these frames are made. */
export async function dropMadeFrames(tx: Tx, { id, attempt }: { id: number; attempt: number }, seqs: readonly number[]): Promise<void> {
  const list = listOfNumbers(seqs)
  await tx.run(`DELETE FROM map_frame WHERE instance_id = ? AND attempt = ? AND seq IN ${list.sql}`, [id, attempt, ...list.params])
}
