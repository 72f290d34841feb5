import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, piecesOf } from './line-splitter.ts'

function split(parts: readonly Buffer[]): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter((line) => lines.push(line))
  for (const part of parts) splitter.push(part)
  splitter.end()
  return lines
}

describe('lines of an output stream', () => {
  it.each([
    ['plain lines', ['a\nb\n'], ['a', 'b']],
    ['a last line without a line feed', ['a\nb'], ['a', 'b']],
    ['empty lines', ['\n\na\n'], ['', '', 'a']],
    ['carriage returns before the line feed', ['a\r\nb\r\n'], ['a', 'b']],
    ['a carriage return inside a line', ['10%\r20%\n'], ['10%\r20%']],
    ['a line in several parts', ['he', 'll', 'o\nwo', 'rld'], ['hello', 'world']],
    ['nothing', [], []],
  ])('%s', (_why, parts, expected) => {
    expect(split(parts.map((part) => Buffer.from(part)))).toEqual(expected)
  })

  it('replaces bytes that are not UTF-8', () => {
    expect(split([Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a, 0xe6, 0x96])])).toEqual(['a��b', '�'])
  })

  it('is the same wherever the parts are cut, also inside a character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''))),
        fc.integer({ min: 1, max: 7 }),
        (lines, size) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
          const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, part) => bytes.subarray(part * size, (part + 1) * size))
          expect(split(parts)).toEqual(lines.map((line) => line.toWellFormed()))
        },
      ),
    )
  })

  it('cuts what has no line feed at 64 KiB, never inside a character', () => {
    const text = '文'.repeat(100_000)
    const lines = split([Buffer.from(text)])
    expect(lines.join('')).toBe(text)
    expect(lines.every((line) => Buffer.byteLength(line) <= 65_536 && !line.includes('�'))).toBe(true)
    expect(lines.length).toBe(5)
  })

  it('keeps within 64 KiB also when every byte becomes three', () => {
    const lines = split([Buffer.alloc(65_000, 0xff), Buffer.from('\n')])
    expect(lines.every((line) => Buffer.byteLength(line) <= 65_536)).toBe(true)
    expect(lines.join('').length).toBe(65_000)
  })

  it('leaves a text of exactly 64 KiB whole', () => {
    expect(piecesOf('x'.repeat(65_536))).toHaveLength(1)
    expect(piecesOf('x'.repeat(65_537)).map((piece) => piece.length)).toEqual([65_536, 1])
  })
})
