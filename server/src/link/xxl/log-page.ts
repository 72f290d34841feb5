import { FRAME_LIMITS, LOG_LEVELS, LOG_STREAMS, type LineTuple } from '@tickwheel/contract'
import { isFields, textOf, wholeOf } from './json.ts'
import { SUCCESS } from './callback.ts'
import type { Reply } from './reply.ts'

/** What `/log` gave: the text from a line on, and the number of its last line. */
export interface LogPage {
  readonly toLine: number
  readonly text: string
}

/**
 * Reads a page that was asked for from a line on; null: there is nothing new. Executors disagree on what they say past the end (0, the last line, one
 * before, the same), so a page counts only when it holds text and its last line is not before the first that was asked for.
 */
export function readLogPage(reply: Reply, fromLine: number): LogPage | null {
  if (reply.code !== SUCCESS || !isFields(reply.payload)) return null
  const toLine = wholeOf(reply.payload['toLineNum'])
  const text = textOf(reply.payload['logContent'])
  return toLine === null || toLine < fromLine || text === '' ? null : { toLine, text }
}

/** The lines of a page. `<br>` is a line break: the console of XXL-JOB shows logs as HTML. A line that is too long is cut. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r|<br\s*\/?>/i)
  if (lines.at(-1) === '') lines.pop()
  return lines.map(withinLimit)
}

function withinLimit(line: string): string {
  if (line.length * 3 <= FRAME_LIMITS.logLineBytes) return line
  const bytes = Buffer.from(line)
  return bytes.length <= FRAME_LIMITS.logLineBytes ? line : bytes.subarray(0, FRAME_LIMITS.logLineBytes - 3).toString('utf8')
}

const STREAM = LOG_STREAMS.indexOf('log')
const INFO = LOG_LEVELS.indexOf('info')

/** Lines in chunks that the log takes at once. */
export function* chunksOf(lines: readonly string[], at: number): Generator<LineTuple[]> {
  let chunk: LineTuple[] = []
  let bytes = 0
  for (const line of lines) {
    const size = Buffer.byteLength(line) + 32
    if (chunk.length > 0 && (chunk.length >= 1000 || bytes + size > FRAME_LIMITS.logChunkBytes)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push([at, STREAM, INFO, line])
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}
