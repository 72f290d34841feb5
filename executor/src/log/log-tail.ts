import { FRAME_LIMITS } from '@tickwheel/contract'

/** A line as it is kept: instant, index into LOG_STREAMS, index into LOG_LEVELS, text. */
export type KeptLine = readonly [at: number, stream: number, level: number, text: string]

/** What a line costs beyond its bytes, so that empty lines are bounded, too. */
export const LINE_COST = 16
const BLOCK_COST = 262_144
/** the last line of a block may pass its mark */
const BLOCK_BYTES = BLOCK_COST + FRAME_LIMITS.logLineBytes + LINE_COST

interface Block {
  readonly lines: number
  readonly cost: number
  readonly bytes: number
  readonly marks: Float64Array
  readonly texts: Buffer
  readonly textsBytes: number
}

/**
 * The last lines of a log, within a bound, in memory. Lines are packed into blocks of about 256 KiB outside the heap, and the oldest block goes
 * when the bound is passed. Its buffer is used again: left to the collector, buffers outlived the bound four times over (measured with 100 MB).
 */
export class LogTail {
  readonly #limit: number
  #blocks: Block[] = []
  #blocksCost = 0
  #spare: Buffer | null = null
  #open: KeptLine[] = []
  #openCost = 0
  #openBytes = 0
  #droppedLines = 0
  #droppedBytes = 0

  /** `limitBytes`: text bytes and LINE_COST for each line. */
  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  get droppedLines(): number {
    return this.#droppedLines
  }

  get droppedBytes(): number {
    return this.#droppedBytes
  }

  push(line: KeptLine, bytes: number): void {
    this.#open.push(line)
    this.#openBytes += bytes
    this.#openCost += bytes + LINE_COST
    if (this.#openCost >= BLOCK_COST) this.seal()
  }

  /** The lines that were kept, oldest first, after `seal`. The tail is empty afterwards. */
  *drain(): Generator<KeptLine> {
    for (let block = this.#blocks.shift(); block !== undefined; block = this.#blocks.shift()) yield* unpack(block)
  }

  /** Packs what is open, which may push the oldest block out: the dropped figures are final only then. */
  seal(): void {
    if (this.#open.length === 0) return
    const block = pack({
      lines: this.#open,
      bytes: this.#openBytes,
      cost: this.#openCost,
      texts: this.#spare ?? Buffer.allocUnsafeSlow(BLOCK_BYTES),
    })
    this.#spare = null
    this.#open = []
    this.#openCost = 0
    this.#openBytes = 0
    this.#blocks.push(block)
    this.#blocksCost += block.cost
    while (this.#blocksCost > this.#limit) this.#dropOldest()
  }

  #dropOldest(): void {
    const block = this.#blocks.shift()
    if (block === undefined) return
    this.#blocksCost -= block.cost
    this.#spare = block.texts
    this.#droppedLines += block.lines
    this.#droppedBytes += block.bytes
  }
}

function pack(content: {
  readonly lines: readonly KeptLine[]
  readonly bytes: number
  readonly cost: number
  readonly texts: Buffer
}): Block {
  const { lines, bytes, cost, texts } = content
  const marks = new Float64Array(lines.length * 2)
  let end = 0
  lines.forEach(([at, stream, level, text], place) => {
    marks[place * 2] = at
    marks[place * 2 + 1] = stream * 4 + level
    end += texts.write(`${text}\n`, end)
  })
  return { lines: lines.length, cost, bytes, marks, texts, textsBytes: end - 1 }
}

function* unpack(block: Block): Generator<KeptLine> {
  let place = 0
  for (const text of block.texts.toString('utf8', 0, block.textsBytes).split('\n')) {
    const mark = block.marks[place * 2 + 1] ?? 0
    yield [block.marks[place * 2] ?? 0, mark >> 2, mark & 3, text]
    place += 1
  }
}
