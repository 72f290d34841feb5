import type { AlarmMessage, Notice } from '@tickwheel/core'

/** A message on its way through one channel. */
export interface Letter {
  /** the same each time the delivery is tried, so that a receiver can tell a repeat from news */
  readonly id: string
  readonly message: AlarmMessage
  readonly notice: Notice
  /** cluster time, epoch ms */
  readonly at: number
}
