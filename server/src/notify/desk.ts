import type { AlarmPreview, AlarmPreviewBody, ChannelTest } from '@tickwheel/contract'
import { noticeOf, sampleMessage, testMessage, type NoticeLanguage } from '@tickwheel/core'
import type { OpenChannel } from '../auth/stored-channel.ts'
import type { AlarmChannelRow, DeliveryRow } from '../store/schema.ts'
import { html } from './format/html.ts'
import { markdown } from './format/markdown.ts'
import { plainText } from './format/text.ts'
import { readMessage } from './message-text.ts'
import type { Postman } from './postman.ts'

export interface DeskOptions {
  readonly postman: Pick<Postman, 'send'>
  readonly openChannel: (row: AlarmChannelRow) => OpenChannel
  readonly publicUrl: string
  readonly now: () => number
  readonly monotonic: () => number
}

const PREVIEW_URL = 'https://tickwheel.example'

/** What a person asks of channels now: a test message, a preview, the title of what was sent. */
export class Desk {
  readonly #options: DeskOptions

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** Sends a test message at once, from this node, past the outbox. */
  async test(channel: AlarmChannelRow): Promise<ChannelTest> {
    const { postman, now, monotonic, publicUrl } = this.#options
    const { settings, language, timezone } = this.#options.openChannel(channel)
    if (settings === null) return { sent: false, problem: { code: 'sealed', answer: '' }, answer: '', tookMs: 0 }
    const at = now()
    const startedAt = monotonic()
    const message = testMessage({ id: channel.id, name: channel.name }, at)
    // the texts that come with the program: a template of its own is about incidents
    const notice = noticeOf(message, { language, timezone, publicUrl, template: null })
    const outcome = await postman.send(settings, { id: `test-${channel.id}-${at}`, message, notice, at })
    const tookMs = Math.max(0, Math.round(monotonic() - startedAt))
    if (outcome.kind === 'sent') return { sent: true, problem: null, answer: outcome.answer, tookMs }
    return { sent: false, problem: { code: outcome.code, answer: outcome.answer }, answer: outcome.answer, tookMs }
  }

  preview({ language, timezone = 'UTC', template = null, event = 'failed', kind = 'opened' }: AlarmPreviewBody): AlarmPreview {
    const publicUrl = this.#options.publicUrl === '' ? PREVIEW_URL : this.#options.publicUrl
    const notice = noticeOf(sampleMessage(kind, event, this.#options.now()), { language, timezone, template, publicUrl })
    return { subject: notice.subject, text: plainText(notice), html: html(notice), markdown: markdown(notice) }
  }

  /** Empty: it was written by a newer version. */
  subjectOf(delivery: DeliveryRow, language: string, timezone: string): string {
    const message = readMessage(delivery.body)
    const known: NoticeLanguage = language === 'zh' ? 'zh' : 'en'
    return message === null ? '' : noticeOf(message, { language: known, timezone, publicUrl: '', template: null }).subject
  }
}
