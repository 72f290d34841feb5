import { createHmac } from 'node:crypto'
import { cutText } from '@tickwheel/core'
import type { DingTalkSettings } from '../settings.ts'
import { escapeMarkdown, markdown } from '../format/markdown.ts'
import { cutBytes } from '../format/text.ts'
import type { Post } from '../http-post.ts'
import type { Letter } from '../letter.ts'
import type { VendorCodes } from './vendor-answer.ts'

/** The vendor takes 20,000 bytes in all; JSON doubles some characters. */
const TEXT_BYTES = 9_000
const TITLE_CHARS = 60

/** A custom robot of DingTalk: markdown, signed by `timestamp` and `sign` in the query where the robot asks for it. */
export function dingTalkPost(settings: DingTalkSettings, { notice, at }: Letter): Post {
  const url = new URL(settings.url)
  if (settings.secret !== '') {
    url.searchParams.set('timestamp', String(at))
    url.searchParams.set('sign', dingTalkSign(settings.secret, at))
  }
  const mentions = settings.atMobiles.map((mobile) => `@${mobile}`).join(' ')
  const text = cutBytes(markdown(notice), TEXT_BYTES)
  return {
    url: url.href,
    body: JSON.stringify({
      msgtype: 'markdown',
      markdown: { title: cutText(escapeMarkdown(notice.subject), TITLE_CHARS), text: mentions === '' ? text : `${text}\n\n${mentions}` },
      at: { atMobiles: settings.atMobiles, isAtAll: settings.atAll },
    }),
  }
}

/** HMAC-SHA256 of `timestamp\nsecret` under the secret, base64. */
export function dingTalkSign(secret: string, at: number): string {
  return createHmac('sha256', secret).update(`${at}\n${secret}`).digest('base64')
}

/** 310000: key word, signature or address not allowed; 300001, 300005: no such token; 130101, 410100: too fast. */
export const DINGTALK_CODES: VendorCodes = {
  fields: ['errcode'],
  tooMany: [130101, 130102, 410100],
  rejected: [310000, 300001, 300005, 400101, 400102, 400105, 430101, 430102, 430103, 430104],
}
