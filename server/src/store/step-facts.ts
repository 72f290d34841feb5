import { parseJson } from './definition.ts'

/** What is kept of a step beside its columns, as JSON in `step_run.facts`. A field is there where it has a meaning. */
export interface StepFacts {
  /** skipped: places in `edges` of the definition, and whether one of them was blocked */
  readonly skippedBy?: readonly number[]
  readonly isBlocked?: boolean
  /** a wait for another: what was resolved when it began; `id` null: there is none by that name */
  readonly upstream?: { readonly kind: 'task' | 'workflow'; readonly name: string; readonly id: number | null; readonly date: string }
  /** a wait for an instant: it goes on then, epoch ms */
  readonly until?: number
  /** a wait or an approval: it has expired then, epoch ms */
  readonly expiresAt?: number
  readonly prompt?: string
  /** a fan-out: how many children there are to be */
  readonly items?: number
  /** who approved, rejected or completed it. `actor`: as a run's column has it */
  readonly decided?: {
    readonly actor: string | null
    readonly at: number
    readonly decision: 'approved' | 'rejected' | 'completed'
    readonly comment: string
  }
}

export function readStepFacts(text: string | null): StepFacts {
  const value = text === null ? null : parseJson(text)
  return typeof value === 'object' && value !== null ? value : {}
}
