import type { WeComSettings } from '../settings.ts'
import { markdown } from '../format/markdown.ts'
import { cutBytes } from '../format/text.ts'
import type { Post } from '../http-post.ts'
import type { Letter } from '../letter.ts'
import type { VendorCodes } from './vendor-answer.ts'

/** The vendor's limit for the text of a markdown message, as UTF-8. */
const TEXT_BYTES = 4_096

/** A group robot of WeCom (企业微信). Its key is in the address. */
export function weComPost(settings: WeComSettings, { notice }: Letter): Post {
  return { url: settings.url, body: JSON.stringify({ msgtype: 'markdown', markdown: { content: cutBytes(markdown(notice), TEXT_BYTES) } }) }
}

/** 93000: no such robot; 40001, 40013, 40014: key; 45009, 45033: too fast. */
export const WECOM_CODES: VendorCodes = {
  fields: ['errcode'],
  tooMany: [45009, 45033],
  rejected: [93000, 40001, 40008, 40013, 40014, 44004, 40058],
}
