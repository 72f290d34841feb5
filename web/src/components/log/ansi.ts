/**
 * Colours and weights of terminal output. A line stands alone: what one line sets does not reach the next, so that any line can be drawn
 * without those before it. Sequences that move a cursor or name a window are dropped.
 */
export interface Span {
  readonly text: string
  /** names of classes: `a-bold`, `a-fg-1` … `a-fg-15`, `a-bg-1` … */
  readonly classes: readonly string[]
  /** for 256 and true colours */
  readonly style: Readonly<{ color?: string; backgroundColor?: string }> | null
  readonly isHit?: boolean
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/
// CSI … final byte; OSC … BEL or ST; two-character sequences; other control characters but tab
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\u001b\[([0-9;:]*)([ -/]*[@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g

interface Pen {
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
  strike: boolean
  inverse: boolean
  fg: string | number | null
  bg: string | number | null
}

const plainPen = (): Pen => ({ bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false, fg: null, bg: null })

/** The line as spans. Text before a carriage return is what a terminal would have painted over: only the last part stays. */
export function parseAnsi(line: string): Span[] {
  const text = afterReturn(line)
  if (!hasControl(text)) return text === '' ? [] : [{ text, classes: [], style: null }]
  const spans: Span[] = []
  const pen = plainPen()
  let from = 0
  for (const match of text.matchAll(SEQUENCE)) {
    push(spans, text.slice(from, match.index), pen)
    if (match[2] === 'm') apply(pen, match[1] ?? '')
    from = match.index + match[0].length
  }
  push(spans, text.slice(from), pen)
  return spans
}

/** The line as it reads, without any sequence: for searching and copying. */
export function plainText(line: string): string {
  const text = afterReturn(line)
  return hasControl(text) ? text.replace(SEQUENCE, '') : text
}

/** Splits spans so that each place where `needle` (in lower case) stands is a span of its own, marked as a hit. */
export function markHits(spans: readonly Span[], needle: string): readonly Span[] {
  if (needle === '') return spans
  const whole = spans.map((span) => span.text).join('').toLowerCase()
  const hits = positions(whole, needle)
  if (hits.length === 0) return spans
  const marked: Span[] = []
  let at = 0
  for (const span of spans) {
    marked.push(...cut(span, at, hits, needle.length))
    at += span.text.length
  }
  return marked
}

function positions(whole: string, needle: string): number[] {
  const found: number[] = []
  for (let at = whole.indexOf(needle); at !== -1; at = whole.indexOf(needle, at + needle.length)) found.push(at)
  return found
}

function cut(span: Span, start: number, hits: readonly number[], length: number): Span[] {
  const end = start + span.text.length
  const parts: Span[] = []
  let from = start
  const add = (to: number, isHit: boolean) => {
    if (to > from) parts.push({ ...span, text: span.text.slice(from - start, to - start), isHit })
    from = Math.max(from, to)
  }
  for (const hit of hits) {
    if (hit + length <= start || hit >= end) continue
    add(Math.max(hit, start), false)
    add(Math.min(hit + length, end), true)
  }
  add(end, false)
  return parts
}

function afterReturn(line: string): string {
  if (!line.includes('\r')) return line
  const parts = line.split('\r').filter((part) => part !== '')
  return parts.at(-1) ?? ''
}

function hasControl(text: string): boolean {
  return CONTROL.test(text)
}

function push(spans: Span[], text: string, pen: Pen): void {
  if (text === '') return
  const [fg, bg] = pen.inverse ? [pen.bg, pen.fg] : [pen.fg, pen.bg]
  const flags = (['bold', 'dim', 'italic', 'underline', 'strike'] as const).filter((name) => pen[name]).map((name) => `a-${name}`)
  const classes = [...flags, ...(typeof fg === 'number' ? [`a-fg-${fg}`] : []), ...(typeof bg === 'number' ? [`a-bg-${bg}`] : []), ...(pen.inverse && fg === null && bg === null ? ['a-inverse'] : [])]
  const style = { ...(typeof fg === 'string' ? { color: fg } : {}), ...(typeof bg === 'string' ? { backgroundColor: bg } : {}) }
  spans.push({ text, classes, style: Object.keys(style).length === 0 ? null : style })
}

function apply(pen: Pen, parameters: string): void {
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map(Number)
  for (let index = 0; index < codes.length; index += 1) index += applyOne(pen, codes, index)
}

/** Applies the code at `index`; answers how many further numbers it has used. */
function applyOne(pen: Pen, codes: readonly number[], index: number): number {
  const code = codes[index] ?? 0
  if (code === 38 || code === 48) {
    const { colour, used } = extended(codes, index + 1)
    if (colour !== null) pen[code === 38 ? 'fg' : 'bg'] = colour
    return used
  }
  if (code === 0) Object.assign(pen, plainPen())
  else if (code >= 30 && code <= 37) pen.fg = code - 30
  else if (code >= 90 && code <= 97) pen.fg = code - 82
  else if (code >= 40 && code <= 47) pen.bg = code - 40
  else if (code >= 100 && code <= 107) pen.bg = code - 92
  else if (code === 39) pen.fg = null
  else if (code === 49) pen.bg = null
  else applyFlag(pen, code)
  return 0
}

function applyFlag(pen: Pen, code: number): void {
  if (code === 1) pen.bold = true
  else if (code === 2) pen.dim = true
  else if (code === 3) pen.italic = true
  else if (code === 4) pen.underline = true
  else if (code === 7) pen.inverse = true
  else if (code === 9) pen.strike = true
  else if (code === 22) pen.bold = pen.dim = false
  else if (code === 23) pen.italic = false
  else if (code === 24) pen.underline = false
  else if (code === 27) pen.inverse = false
  else if (code === 29) pen.strike = false
}

/** `5;n` (256 colours) or `2;r;g;b`. The first sixteen are the theme's own, so that they stay readable in both. */
function extended(codes: readonly number[], at: number): { colour: string | number | null; used: number } {
  if (codes[at] === 5) return { colour: palette(codes[at + 1] ?? 0), used: 2 }
  if (codes[at] === 2) return { colour: rgb(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), used: 4 }
  return { colour: null, used: 0 }
}

function palette(n: number): string | number {
  if (n < 16) return n
  if (n >= 232) return rgb(8 + (n - 232) * 10, 8 + (n - 232) * 10, 8 + (n - 232) * 10)
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40)
  const cube = n - 16
  return rgb(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6))
}

function rgb(red: number, green: number, blue: number): string {
  const byte = (value: number) => Math.min(255, Math.max(0, Math.trunc(value) || 0))
  return `rgb(${byte(red)} ${byte(green)} ${byte(blue)})`
}
