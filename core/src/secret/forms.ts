/** A secret must have so many characters: the mask of a shorter one would hide half of every log. */
export const MIN_SECRET_CHARS = 4
/** The base64 of a short value is a short word, too. */
const MIN_BASE64_CHARS = 5

/**
 * How a value may stand in a text: as it is, its lines one by one, as JSON and as a URL write it, and within base64, at each of its three alignments, so that
 * `user:password` of an HTTP header is found as well. Lines shorter than four characters are not among them.
 */
export function formsOf(value: string): string[] {
  const lines = value.split(/\r\n|\n|\r/).flatMap((line) => [line, line.trim()])
  const written = [...lines, jsonOf(value), ...lines.flatMap((line) => [jsonOf(line), urlOf(line), urlOf(line).replaceAll('%20', '+')])]
  const forms = [...written.filter((form) => form.length >= MIN_SECRET_CHARS), ...base64FormsOf(value)]
  return [...new Set(forms)]
}

/** Whether a value has a line that is long enough to be found. */
export function canBeMasked(value: string): boolean {
  return value.split(/\r\n|\n|\r/).some((line) => line.trim().length >= MIN_SECRET_CHARS)
}

function jsonOf(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function urlOf(text: string): string {
  // half of a character cannot be written in a URL
  return encodeURIComponent(text.toWellFormed())
}

/** The part of the base64 that does not depend on what stands before and behind the value. */
function base64FormsOf(value: string): string[] {
  const bytes = utf8Of(value)
  return [0, 1, 2].flatMap((shift) => {
    const sextets = Math.floor(((shift + bytes.length) * 8) / 6)
    const form = base64Of([...new Array<number>(shift).fill(0), ...bytes]).slice(Math.ceil((shift * 8) / 6), sextets)
    return form.length < MIN_BASE64_CHARS ? [] : [form, form.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Without padding. */
function base64Of(bytes: readonly number[]): string {
  const letters: string[] = []
  for (let place = 0; place < bytes.length; place += 3) {
    const word = ((bytes[place] ?? 0) << 16) | ((bytes[place + 1] ?? 0) << 8) | (bytes[place + 2] ?? 0)
    for (const shift of [18, 12, 6, 0]) letters.push(ALPHABET.charAt((word >> shift) & 63))
  }
  return letters.join('').slice(0, Math.ceil((bytes.length * 8) / 6))
}

function utf8Of(text: string): number[] {
  const bytes: number[] = []
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return bytes
}
