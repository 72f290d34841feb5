import { AppError, type TokenRateLimit } from '@tickwheel/contract'
import type { Budget } from '@tickwheel/core'
import type { FastifyReply } from 'fastify'
import type { Buckets } from '../cluster/bucket.ts'
import type { Config } from '../config/schema.ts'

/** Whose call it is: the address, the user or token, or the executor. `own`: budgets that a token has of its own; absent ones are the configured ones. */
export interface Purse {
  readonly whose: string
  readonly own?: TokenRateLimit | null
}

/** Takes calls from the budgets of `rateLimit.*`, or from those that a token has of its own. */
export class RateLimit {
  readonly #buckets: Buckets
  readonly #limits: Config['rateLimit']

  constructor(buckets: Buckets, limits: Config['rateLimit']) {
    this.#buckets = buckets
    this.#limits = limits
  }

  /** Writes the RateLimit headers; throws `RATE_LIMITED` when the bucket is empty. */
  async take(budget: Budget, { whose, own = null }: Purse, reply: FastifyReply | null): Promise<void> {
    const limit = (own !== null && isOwnBudget(budget) ? own[budget] : undefined) ?? this.#limits[budget]
    const taken = await this.#buckets.take(`${budget} ${whose}`, limit)
    void reply?.headers({
      'RateLimit-Limit': limit.capacity,
      'RateLimit-Remaining': taken.remaining,
      'RateLimit-Reset': Math.ceil(Math.min(taken.resetMs, 86_400_000) / 1000),
    })
    if (taken.allowed) return
    const retryAfterSeconds = Math.max(1, Math.ceil(Math.min(taken.retryAfterMs, 86_400_000) / 1000))
    throw new AppError('RATE_LIMITED', `Too many calls of the budget "${budget}": try again in ${retryAfterSeconds} s.`, {
      params: { budget, retryAfterSeconds },
    })
  }

  async giveBack(budget: Budget, whose: string): Promise<void> {
    await this.#buckets.giveBack(`${budget} ${whose}`, this.#limits[budget])
  }
}

function isOwnBudget(budget: Budget): budget is keyof TokenRateLimit & Budget {
  return budget === 'read' || budget === 'write' || budget === 'trigger' || budget === 'heavy'
}
