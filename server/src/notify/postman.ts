import type { ChannelSettings } from '@tickwheel/contract'
import type { Networks } from '../link/networks.ts'
import { DINGTALK_CODES, dingTalkPost } from './channels/dingtalk.ts'
import { sendEmail } from './channels/email.ts'
import { FEISHU_CODES, feishuPost } from './channels/feishu.ts'
import { judgeSlack, slackPost } from './channels/slack.ts'
import { judgeVendor } from './channels/vendor-answer.ts'
import { judgeWebhook, webhookPost } from './channels/webhook.ts'
import { WECOM_CODES, weComPost } from './channels/wecom.ts'
import { HttpPost, SEND_TIMEOUT_MS } from './http-post.ts'
import type { Letter } from './letter.ts'
import { withoutSecrets, type SendOutcome } from './outcome.ts'
import { secretsIn } from '../auth/channel-secrets.ts'

/** Takes letters to where channels lead: one try each, 10 s at most. */
export class Postman {
  readonly #networks: Networks
  readonly #timeoutMs: number
  readonly #http: HttpPost

  constructor(networks: Networks, timeoutMs: number = SEND_TIMEOUT_MS) {
    this.#networks = networks
    this.#timeoutMs = timeoutMs
    this.#http = new HttpPost(networks, timeoutMs)
  }

  /** Never rejects, and says no secret of the channel. `settings` are open, not sealed. */
  async send(settings: ChannelSettings, letter: Letter): Promise<SendOutcome> {
    return withoutSecrets(await this.#send(settings, letter), secretsIn(settings))
  }

  async #send(settings: ChannelSettings, letter: Letter): Promise<SendOutcome> {
    switch (settings.kind) {
      case 'email':
        return sendEmail(settings, letter, { networks: this.#networks, timeoutMs: this.#timeoutMs })
      case 'webhook':
        return judgeWebhook(await this.#http.post(webhookPost(settings, letter)))
      case 'dingtalk':
        return judgeVendor(await this.#http.post(dingTalkPost(settings, letter)), DINGTALK_CODES)
      case 'feishu':
        return judgeVendor(await this.#http.post(feishuPost(settings, letter)), FEISHU_CODES)
      case 'wecom':
        return judgeVendor(await this.#http.post(weComPost(settings, letter)), WECOM_CODES)
      case 'slack':
        return judgeSlack(await this.#http.post(slackPost(settings, letter)))
    }
  }
}
