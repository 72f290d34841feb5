import { createHmac } from 'node:crypto'
import { cutText, type Notice, type NoticeBlock } from '@tickwheel/core'
import type { FeishuSettings } from '../settings.ts'
import type { Post } from '../http-post.ts'
import type { Letter } from '../letter.ts'
import type { VendorCodes } from './vendor-answer.ts'

/** The vendor takes 20 KB; JSON triples some characters. */
const TEXT_CHARS = 4_000
const BLOCK_CHARS = 1_000
const TITLE_CHARS = 150
const COLOURS = { bad: 'red', good: 'green', info: 'blue' } as const

/** A custom robot of Feishu or Lark: a card whose texts are plain, so that nothing in them is a mark. */
export function feishuPost(settings: FeishuSettings, { notice, at }: Letter): Post {
  const seconds = Math.floor(at / 1000)
  const signed = settings.secret === '' ? {} : { timestamp: String(seconds), sign: feishuSign(settings.secret, seconds) }
  return { url: settings.url, body: JSON.stringify({ ...signed, msg_type: 'interactive', card: cardOf(notice) }) }
}

/** HMAC-SHA256 of nothing under `timestamp\nsecret`, base64: the vendor has it that way round. */
export function feishuSign(secret: string, seconds: number): string {
  return createHmac('sha256', `${seconds}\n${secret}`).update('').digest('base64')
}

function cardOf({ subject, tone, blocks }: Notice): unknown {
  let room = TEXT_CHARS
  const elements = blocks.flatMap((block) => {
    const text = cutText(textOf(block), BLOCK_CHARS)
    room -= text.length
    return room < 0 && block.kind !== 'link' ? [] : [elementOf(block, text)]
  })
  return {
    config: { wide_screen_mode: true },
    header: { title: { tag: 'plain_text', content: cutText(subject, TITLE_CHARS) }, template: COLOURS[tone] },
    elements,
  }
}

function textOf(block: NoticeBlock): string {
  return block.kind === 'fact' ? `${block.label}: ${block.value}` : block.text
}

function elementOf(block: NoticeBlock, content: string): unknown {
  const text = { tag: 'plain_text', content }
  if (block.kind === 'link') return { tag: 'action', actions: [{ tag: 'button', type: 'primary', text, url: block.url }] }
  return { tag: 'div', text }
}

/** 19021: signature or clock; 19022: address not allowed; 19024: key word missing; 19001: no such robot; 11232, 9499: too fast. */
export const FEISHU_CODES: VendorCodes = {
  fields: ['code', 'StatusCode'],
  tooMany: [9499, 11232, 99991400],
  rejected: [19001, 19021, 19022, 19024],
}
