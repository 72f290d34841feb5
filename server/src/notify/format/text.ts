import type { Notice, NoticeBlock } from '@tickwheel/core'

/** A notice as plain text, a block a line. */
export function plainText({ blocks }: Notice): string {
  return blocks.map(lineOf).join('\n')
}

function lineOf(block: NoticeBlock): string {
  switch (block.kind) {
    case 'text':
      return block.text
    case 'fact':
      return `${block.label}: ${block.value}`
    case 'item':
      return `- ${block.text}${block.url === null ? '' : ` ${block.url}`}`
    case 'link':
      return `${block.text}: ${block.url}`
  }
}

const CUT = '…'

/** The beginning of a text that has at most so many bytes as UTF-8, cut between characters and marked. */
export function cutBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  const room = bytes - Buffer.byteLength(CUT)
  let used = 0
  let kept = ''
  for (const character of text) {
    used += Buffer.byteLength(character)
    if (used > room) break
    kept += character
  }
  return kept + CUT
}
