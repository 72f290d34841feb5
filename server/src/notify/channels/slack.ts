import { cutText, type Notice, type NoticeBlock } from '@tickwheel/core'
import type { SlackSettings } from '../settings.ts'
import { judgeStatus, type Answered, type Post } from '../http-post.ts'
import type { Letter } from '../letter.ts'
import { failed, sent, type SendOutcome } from '../outcome.ts'

const HEADER_CHARS = 150
const SECTION_CHARS = 2_900
const FALLBACK_CHARS = 300
const SECTIONS_MOST = 10
const SIGNS = { bad: '🔴', good: '🟢', info: '🔵' } as const

/** An incoming webhook of Slack. */
export function slackPost(settings: SlackSettings, { notice }: Letter): Post {
  const { subject, tone } = notice
  const header = cutText(`${SIGNS[tone]} ${subject}`, HEADER_CHARS)
  return {
    url: settings.url,
    body: JSON.stringify({
      text: escapeSlack(cutText(subject, FALLBACK_CHARS)),
      blocks: [{ type: 'header', text: { type: 'plain_text', text: header, emoji: true } }, ...sections(notice)],
    }),
  }
}

/** Lines gathered into sections, each under the vendor's 3,000 characters; a line is cut before it is escaped, so that no entity is. */
function sections({ blocks }: Notice): unknown[] {
  const texts: string[] = []
  for (const line of blocks.map(lineOf)) {
    const last = texts.at(-1)
    if (last !== undefined && last.length + line.length + 1 <= SECTION_CHARS) texts[texts.length - 1] = `${last}\n${line}`
    else texts.push(line)
  }
  return texts.slice(0, SECTIONS_MOST).map((text) => ({ type: 'section', text: { type: 'mrkdwn', text } }))
}

const LINE_CHARS = 560

function lineOf(block: NoticeBlock): string {
  const cut = (text: string): string => escapeSlack(cutText(text, LINE_CHARS))
  switch (block.kind) {
    case 'text':
      return cut(block.text)
    case 'fact':
      return `*${escapeSlack(block.label)}* ${cut(block.value)}`
    case 'item':
      return `• ${block.url === null ? cut(block.text) : linked(block.text, block.url)}`
    case 'link':
      return linked(block.text, block.url)
  }
}

function linked(text: string, url: string): string {
  return `<${url.replace(/[|<>\s]/g, encodeURIComponent)}|${escapeSlack(cutText(text, LINE_CHARS)).replaceAll('|', '¦')}>`
}

/** The three characters that Slack asks to be escaped: without them there is no link, no mention and no channel. */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Slack says `ok` with 200; a refusal has a status and a word. */
export function judgeSlack(answered: Answered): SendOutcome {
  if (answered.kind === 'failed') return answered.outcome
  if (answered.status !== 200) return judgeStatus(answered)
  return answered.text.trim() === 'ok' ? sent('ok') : failed('refused', answered.text, { isRejected: true })
}
