/** How well a name fits what somebody types, in any language: as it is, from the start of a word, anywhere, or some of its letters in order. */

export interface Fit {
  /** more is better; above 0 */
  readonly score: number
  /** the characters of the text that fit, ascending */
  readonly at: readonly number[]
}

const EXACT = 100
const PREFIX = 80
const WORD_START = 60
const INSIDE = 40
const SCATTERED = 20
const LETTER = /[\p{L}\p{N}]/u
const IDEOGRAPH = /\p{Script=Han}/u

/** Null: it does not fit. Each word that is wanted must be found; case, width and surrounding blanks do not matter. An empty wish fits everything. */
export function fit(text: string, wanted: string): Fit | null {
  const folded = fold(text)
  const words = fold(wanted).split(/\s+/).filter((word) => word !== '')
  let score = 1
  const at = new Set<number>()
  for (const word of words) {
    const found = fitWord(folded, word)
    if (found === null) return null
    score += found.score / words.length
    for (const index of found.at) at.add(index)
  }
  // of two that fit alike the shorter one is meant
  return { score: score - Math.min(folded.length, 90) / 100, at: folded.length === text.length ? [...at].sort((one, other) => one - other) : [] }
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

function fitWord(text: string, word: string): Fit | null {
  if (text === word) return { score: EXACT, at: span(0, word.length) }
  const starts = placesOf(text, word)
  const [first] = starts
  if (first === undefined) return scattered(text, word)
  if (first === 0) return { score: PREFIX, at: span(0, word.length) }
  const start = starts.find((place) => isWordStart(text, place))
  return start === undefined ? { score: INSIDE, at: span(first, word.length) } : { score: WORD_START, at: span(start, word.length) }
}

function placesOf(text: string, word: string): number[] {
  const places: number[] = []
  for (let place = text.indexOf(word); place >= 0; place = text.indexOf(word, place + 1)) places.push(place)
  return places
}

/** Its letters in order, from the start of a word: `nr` of `nightly-report`, 新任 of 新建任务. */
function scattered(text: string, word: string): Fit | null {
  const letters = [...word]
  if (letters.length < 2) return null
  for (let start = 0; start < text.length; start += 1) {
    if (!isWordStart(text, start) || !text.startsWith(letters[0] ?? '', start)) continue
    const at = inOrder(text, letters, start)
    if (at !== null) return { score: SCATTERED - Math.min(15, gapsIn(at)), at }
  }
  return null
}

/** A letter stands behind the one before it, or at the start of a word: letters from the middle of words fit nearly everything. */
function inOrder(text: string, letters: readonly string[], start: number): number[] | null {
  const at: number[] = []
  let from = start
  for (const letter of letters) {
    let place = text.indexOf(letter, from)
    while (place >= 0 && place !== from && !isWordStart(text, place)) place = text.indexOf(letter, place + 1)
    if (place < 0) return null
    at.push(place)
    from = place + letter.length
  }
  return at
}

function gapsIn(at: readonly number[]): number {
  return at.filter((place, index) => index > 0 && place !== (at[index - 1] ?? 0) + 1).length
}

function isWordStart(text: string, place: number): boolean {
  const [here = '', before = ''] = [text[place], text[place - 1]]
  return before === '' || !LETTER.test(before) || IDEOGRAPH.test(here) || IDEOGRAPH.test(before)
}

function span(from: number, length: number): number[] {
  return Array.from({ length }, (_, index) => from + index)
}
