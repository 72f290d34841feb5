import { FRAME_LIMITS } from '@tickwheel/contract'

const LINE_FEED = 0x0a
const LIMIT = FRAME_LIMITS.logLineBytes
/** A byte that is not UTF-8 becomes U+FFFD, three bytes: a text this short is within the limit whatever it holds. */
const SAFE_CHARS = Math.floor(LIMIT / 3)

/**
 * Bytes of one output stream in, lines of text out. Bytes that are not UTF-8 become U+FFFD. A carriage return before the line feed is taken off.
 * What has no line feed within 64 KiB is cut there, never inside a character.
 */
export class LineSplitter {
  readonly #emit: (line: string) => void
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(emit: (line: string) => void) {
    this.#emit = emit
  }

  push(bytes: Buffer): void {
    const last = bytes.lastIndexOf(LINE_FEED)
    if (last >= 0) this.#emitBlock(this.#takePending(bytes.subarray(0, last)))
    this.#keep(bytes.subarray(last + 1))
  }

  /** The stream has ended: what is left is a line, too. */
  end(): void {
    if (this.#pendingBytes > 0) this.#emitBlock(this.#takePending(Buffer.alloc(0)))
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#pending.push(rest)
    this.#pendingBytes += rest.length
    if (this.#pendingBytes >= LIMIT) this.#cutPending()
  }

  #cutPending(): void {
    let rest = this.#takePending(Buffer.alloc(0))
    while (rest.length >= LIMIT) {
      const cut = characterBorder(rest, LIMIT)
      emitLine(rest.toString('utf8', 0, cut), this.#emit)
      rest = rest.subarray(cut)
    }
    // a copy: a slice would keep the whole buffer alive
    if (rest.length > 0) this.#keep(Buffer.from(rest))
  }

  #takePending(more: Buffer): Buffer {
    const [only, ...others] = this.#pending
    if (only === undefined) return more
    const whole = others.length === 0 && more.length === 0 ? only : Buffer.concat([...this.#pending, more])
    this.#pending = []
    this.#pendingBytes = 0
    return whole
  }

  /** A line feed is never inside a character, so a block of whole lines can be decoded at once. */
  #emitBlock(block: Buffer): void {
    for (const line of block.toString('utf8').split('\n')) emitLine(line, this.#emit)
  }
}

function emitLine(line: string, emit: (line: string) => void): void {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  for (const piece of piecesOf(text)) emit(piece)
}

/** The text in pieces of at most 64 KiB of UTF-8; nearly always the text itself. */
export function piecesOf(text: string): readonly string[] {
  if (text.length <= SAFE_CHARS || (text.length <= LIMIT && Buffer.byteLength(text) <= LIMIT)) return [text]
  const bytes = Buffer.from(text)
  const pieces: string[] = []
  for (let start = 0; start < bytes.length;) {
    const end = start + characterBorder(bytes.subarray(start), LIMIT)
    pieces.push(bytes.toString('utf8', start, end))
    start = end
  }
  return pieces
}

/** Whether a text is a piece of a line that was cut at 64 KiB, so that the line may go on. */
export function isWholePiece(text: string): boolean {
  return text.length > LIMIT / 4 - 1 && Buffer.byteLength(text) > LIMIT - 4
}

/** The largest length up to `limit` that does not end inside a character (within four bytes: other bytes are not UTF-8 anyway). */
function characterBorder(bytes: Buffer, limit: number): number {
  if (bytes.length <= limit) return bytes.length
  for (let back = 0; back < 4; back += 1) {
    const byte = bytes[limit - back] ?? 0
    if ((byte & 0xc0) !== 0x80) return limit - back
  }
  return limit
}
