/*
 * The markdown of DingTalk and WeCom. Neither documents an escape, and a backslash is shown as it stands; so the characters that begin a link, a mention,
 * code, a tag or emphasis are replaced by their full-width twins, which look the same and do nothing. An underscore means nothing to them.
 */
import type { Notice, NoticeBlock } from '@tickwheel/core'

const TWINS: Readonly<Record<string, string>> = {
  '<': '＜',
  '>': '＞',
  '[': '［',
  ']': '］',
  '*': '＊',
  '`': '＇',
  '@': '＠',
  '!': '！',
  '#': '＃',
}

/** A text in which nothing is a mark. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[<>[\]*`@!#]/g, (character) => TWINS[character] ?? character)
}

export function markdown({ subject, blocks }: Notice): string {
  return [`### ${escapeMarkdown(subject)}`, ...blocks.map(lineOf)].join('\n\n')
}

function lineOf(block: NoticeBlock): string {
  switch (block.kind) {
    case 'text':
      return escapeMarkdown(block.text).replaceAll('\n', '\n\n')
    case 'fact':
      return `**${block.label}** ${escapeMarkdown(block.value)}`
    case 'item':
      return `> ${block.url === null ? escapeMarkdown(block.text) : link(block.text, block.url)}`
    case 'link':
      return link(block.text, block.url)
  }
}

function link(text: string, url: string): string {
  return `[${escapeMarkdown(text)}](${url.replace(/[()\s<>]/g, encodeURIComponent)})`
}
