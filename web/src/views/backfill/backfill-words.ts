import type { Backfill, BackfillPreview } from '@tickwheel/contract'
import { RUN_STATES, type RunState } from '../../components/run-state.ts'
import { t } from '../../locales/text.ts'

/** How many of its instants have come to their end, of a hundred. */
export function progressOf({ total, ended }: Pick<Backfill, 'total' | 'ended'>): number {
  const sum = Object.values(ended).reduce((before, count) => before + count, 0)
  return total === 0 ? 0 : Math.floor((100 * sum) / total)
}

export interface EndCount {
  readonly state: RunState
  readonly count: number
}

/** How many of its runs have ended in each state, in the order in which states are shown everywhere. */
export function endsOf({ ended }: Pick<Backfill, 'ended'>): EndCount[] {
  return RUN_STATES.flatMap((state) => ((ended[state] ?? 0) > 0 ? [{ state, count: ended[state] ?? 0 }] : []))
}

/** The state of an instant where it is that of a run; null: it has none of its own. */
export function runStateOf({ state }: Pick<BackfillPreview['items'][number], 'state'>): RunState | null {
  return RUN_STATES.find((known) => known === state) ?? null
}

/** What is known of an instant that has no run with a state. */
export function noRunWords({ state }: Pick<BackfillPreview['items'][number], 'state'>): string {
  switch (state) {
    case 'gone':
      return t('backfill.gone')
    case 'planned':
      return t('backfill.planned')
    default:
      return t('backfill.none')
  }
}
