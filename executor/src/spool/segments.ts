/**
 * Append-only segment files. A record is its length and CRC-32 (four bytes each, big endian) and its text in UTF-8. A segment takes records
 * until it has 8 MiB; it is deleted when every record in it was released. Written, not flushed, unless `fsync`: what a killed process
 * wrote is still there, what a machine that lost power wrote may not be.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

const SEGMENT_BYTES = 8_388_608
/** a segment whose records were all released is given up early at this size, so that what was acknowledged does not stay on the disk */
const IDLE_BYTES = 1_048_576
const HEADER_BYTES = 8

/** Where a record lies. */
export interface SpoolEntry {
  readonly segment: Segment
  readonly offset: number
  readonly length: number
}

export class Segment {
  readonly path: string
  readonly #fd: number
  #size: number
  #live = 0
  #isSealed = false
  #isGone = false

  constructor(path: string, size = 0) {
    this.path = path
    this.#fd = openSync(path, 'a+', 0o600)
    this.#size = size
  }

  get size(): number {
    return this.#isGone ? 0 : this.#size
  }

  get live(): number {
    return this.#live
  }

  /** Appends records with one write. */
  append(texts: readonly string[], fsync: boolean): readonly SpoolEntry[] {
    const { bytes, lengths } = encode(texts)
    let end = this.#size
    this.#write(bytes)
    if (fsync) fdatasyncSync(this.#fd)
    return lengths.map((length) => {
      end += HEADER_BYTES + length
      return this.adopt(end - length, length)
    })
  }

  /** Counts a record that is already in the file. */
  adopt(offset: number, length: number): SpoolEntry {
    this.#live += 1
    return { segment: this, offset, length }
  }

  read(entry: SpoolEntry): string {
    const buffer = Buffer.allocUnsafe(entry.length)
    readSync(this.#fd, buffer, 0, entry.length, entry.offset)
    return buffer.toString('utf8')
  }

  release(): void {
    this.#live -= 1
    this.#deleteIfDone()
  }

  /** Takes no more records. */
  seal(): void {
    this.#isSealed = true
    this.#deleteIfDone()
  }

  close(): void {
    if (!this.#isGone) closeSync(this.#fd)
    this.#isGone = true
  }

  /** A write that stops half-way (disk full) leaves a torn record, which readers pass over only at the end: so the segment must end there. */
  #write(bytes: Buffer): void {
    for (let written = 0; written < bytes.length;) written += writeSync(this.#fd, bytes, written)
    this.#size += bytes.length
  }

  #deleteIfDone(): void {
    if (!this.#isSealed || this.#live > 0 || this.#isGone) return
    this.close()
    rmSync(this.path, { force: true })
  }
}

/**
 * Records are put together here, whatever their segment. A buffer for each record, and one for them all, is memory outside the heap that the
 * collector is slow to give back: a task that printed 100 MB without a newline took the executor 25 MiB further.
 */
let workshop = Buffer.allocUnsafeSlow(1_048_576)

function encode(texts: readonly string[]): { readonly bytes: Buffer; readonly lengths: readonly number[] } {
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const total = lengths.reduce((sum, length) => sum + HEADER_BYTES + length, 0)
  if (total > workshop.length) workshop = Buffer.allocUnsafeSlow(total)
  let end = 0
  texts.forEach((text, place) => {
    const length = lengths[place] ?? 0
    const body = workshop.subarray(end + HEADER_BYTES, end + HEADER_BYTES + length)
    body.write(text)
    workshop.writeUInt32BE(length, end)
    workshop.writeUInt32BE(crc32(body), end + 4)
    end += HEADER_BYTES + length
  })
  return { bytes: workshop.subarray(0, total), lengths }
}

/** Segments of one kind of record, in one folder. */
export class SegmentStream {
  readonly #directory: string
  readonly #prefix: string
  readonly #fsync: boolean
  #segments: Segment[] = []
  #current: Segment | null = null
  #number = 0

  constructor(directory: string, prefix: string, fsync: boolean) {
    this.#directory = directory
    this.#prefix = prefix
    this.#fsync = fsync
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  /** Throws what the file system throws. */
  append(texts: readonly string[]): readonly SpoolEntry[] {
    const segment = this.#roomy()
    try {
      return segment.append(texts, this.#fsync)
    } catch (thrown) {
      this.#retire(segment)
      throw thrown
    }
  }

  close(): void {
    for (const segment of this.#segments) {
      segment.seal()
      segment.close()
    }
  }

  #roomy(): Segment {
    const current = this.#current
    if (current !== null && current.size < SEGMENT_BYTES && !(current.live === 0 && current.size >= IDLE_BYTES)) return current
    if (current !== null) this.#retire(current)
    return this.#open()
  }

  #open(): Segment {
    this.#number += 1
    const segment = new Segment(join(this.#directory, `${this.#prefix}-${String(this.#number).padStart(6, '0')}.seg`))
    this.#current = segment
    this.#segments.push(segment)
    return segment
  }

  #retire(segment: Segment): void {
    segment.seal()
    this.#current = null
    this.#segments = this.#segments.filter((each) => each.size > 0)
  }
}

/** The records of a segment that another process left, up to the first that is not whole. */
export function recordsOf(path: string): {
  readonly segment: Segment
  readonly records: readonly { readonly entry: SpoolEntry; readonly text: string }[]
} {
  const bytes = readFileSync(path)
  const segment = new Segment(path, bytes.length)
  const records: { entry: SpoolEntry; text: string }[] = []
  for (let place = 0; place + HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt32BE(place)
    const body = bytes.subarray(place + HEADER_BYTES, place + HEADER_BYTES + length)
    if (body.length < length || crc32(body) !== bytes.readUInt32BE(place + 4)) break
    records.push({ entry: segment.adopt(place + HEADER_BYTES, length), text: body.toString('utf8') })
    place += HEADER_BYTES + length
  }
  return { segment, records }
}
