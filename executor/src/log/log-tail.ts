/** A line as it is kept: instant, index into LOG_STREAMS, index into LOG_LEVELS, text. */
export type KeptLine = readonly [at: number, stream: number, level: number, text: string]

/** What a line costs beyond its bytes, so that empty lines are bounded, too. */
export const LINE_COST = 16
const BLOCK_COST = 262_144

interface Block {
  readonly lines: number
  readonly cost: number
  readonly bytes: number
  readonly marks: Float64Array
  readonly texts: Buffer
}

/**
 * The last lines of a log, within a bound, in memory. Lines are packed into blocks of about 256 KiB outside the heap, and the oldest block goes
 * when the bound is passed.
 */
export class LogTail {
  readonly #limit: number
  #blocks: Block[] = []
  #blocksCost = 0
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
    const blocks = this.#blocks
    this.#blocks = []
    for (const block of blocks) yield* unpack(block)
  }

  /** Packs what is open, which may push the oldest block out: the dropped figures are final only then. */
  seal(): void {
    if (this.#open.length === 0) return
    const block = pack(this.#open, this.#openBytes, this.#openCost)
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
    this.#droppedLines += block.lines
    this.#droppedBytes += block.bytes
  }
}

function pack(lines: readonly KeptLine[], bytes: number, cost: number): Block {
  const marks = new Float64Array(lines.length * 2)
  lines.forEach(([at, stream, level], place) => {
    marks[place * 2] = at
    marks[place * 2 + 1] = stream * 4 + level
  })
  return { lines: lines.length, cost, bytes, marks, texts: Buffer.from(lines.map((line) => line[3]).join('\n')) }
}

function* unpack(block: Block): Generator<KeptLine> {
  let place = 0
  for (const text of block.texts.toString('utf8').split('\n')) {
    const mark = block.marks[place * 2 + 1] ?? 0
    yield [block.marks[place * 2] ?? 0, mark >> 2, mark & 3, text]
    place += 1
  }
}
