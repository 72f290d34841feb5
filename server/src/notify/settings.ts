/** What the adapters need of a channel, with its secrets opened. The shapes are the contract's; nothing here is ever answered to anybody. */
import type { ChannelSettings } from '@tickwheel/contract'

export type EmailSettings = Extract<ChannelSettings, { kind: 'email' }>
export type WebhookSettings = Extract<ChannelSettings, { kind: 'webhook' }>
export type DingTalkSettings = Extract<ChannelSettings, { kind: 'dingtalk' }>
export type FeishuSettings = Extract<ChannelSettings, { kind: 'feishu' }>
export type WeComSettings = Extract<ChannelSettings, { kind: 'wecom' }>
export type SlackSettings = Extract<ChannelSettings, { kind: 'slack' }>
