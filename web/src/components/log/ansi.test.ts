import { describe, expect, it } from 'vitest'
import { markHits, parseAnsi, plainText } from './ansi.ts'

const E = '\u001b'
const brief = (line: string) => parseAnsi(line).map((span) => [span.text, span.classes.join(' '), span.style?.color ?? span.style?.backgroundColor ?? ''])

describe('ANSI colours', () => {
  it.each([
    ['plain text is one span', 'hello', [['hello', '', '']]],
    ['an empty line has none', '', []],
    ['a colour ends at the reset', `${E}[31mred${E}[0m and not`, [['red', 'a-fg-1', ''], [' and not', '', '']]],
    ['an empty sequence is a reset', `${E}[1mbold${E}[m plain`, [['bold', 'a-bold', ''], [' plain', '', '']]],
    ['bright colours are the second eight', `${E}[93myellow`, [['yellow', 'a-fg-11', '']]],
    ['several codes in one sequence', `${E}[1;4;32mx`, [['x', 'a-bold a-underline a-fg-2', '']]],
    ['background', `${E}[41mx`, [['x', 'a-bg-1', '']]],
    ['256 colours outside the theme are fixed', `${E}[38;5;208mx`, [['x', '', 'rgb(255 135 0)']]],
    ['256 colours inside the theme are the theme’s', `${E}[38;5;1mx`, [['x', 'a-fg-1', '']]],
    ['grey ramp', `${E}[38;5;232mx`, [['x', '', 'rgb(8 8 8)']]],
    ['true colour', `${E}[38;2;1;2;300mx`, [['x', '', 'rgb(1 2 255)']]],
    ['true colour with colons', `${E}[48:2:9:8:7mx`, [['x', '', 'rgb(9 8 7)']]],
    ['a code after an extended colour still counts', `${E}[38;5;208;1mx`, [['x', 'a-bold', 'rgb(255 135 0)']]],
    ['inverse swaps both', `${E}[31;7mx`, [['x', 'a-bg-1', '']]],
    ['cursor movement is dropped', `a${E}[2Kb${E}[1;1Hc`, [['a', '', ''], ['b', '', ''], ['c', '', '']]],
    ['window titles and links are dropped', `${E}]0;title\u0007a${E}]8;;http://x${E}\\b`, [['a', '', ''], ['b', '', '']]],
    ['bells and other control characters are dropped', 'a\u0007b\u0000c', [['a', '', ''], ['b', '', ''], ['c', '', '']]],
    ['a tab stays', 'a\tb', [['a\tb', '', '']]],
    ['an unfinished sequence at the end is dropped', `a${E}[3`, [['a', '', ''], ['3', '', '']]],
    ['a carriage return paints over what stood before', '10%\r50%\r100%', [['100%', '', '']]],
    ['a carriage return at the end keeps the line', 'done\r', [['done', '', '']]],
    ['markup stays text', '<b>x</b>', [['<b>x</b>', '', '']]],
  ])('%s', (_why, line, expected) => expect(brief(line)).toEqual(expected))

  it('gives the text without sequences', () => expect(plainText(`${E}[1mslow${E}[0m page`)).toBe('slow page'))

  it('marks hits that reach over a change of colour', () => {
    const spans = markHits(parseAnsi(`an ${E}[31mer${E}[0mror and ERROR`), 'error')
    expect(spans.map((span) => [span.text, span.isHit === true])).toEqual([['an ', false], ['er', true], ['ror', true], [' and ', false], ['ERROR', true]])
  })
})
