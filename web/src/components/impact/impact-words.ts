import type { ScheduleImpact } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

/** `3 added · 1 removed`; empty when nothing changes. */
export function countWords({ added, removed, moved }: ScheduleImpact): string {
  return [
    ...(added.count === 0 ? [] : [t('impact.added', { n: added.count })]),
    ...(removed.count === 0 ? [] : [t('impact.removed', { n: removed.count })]),
    ...(moved.count === 0 ? [] : [t('impact.moved', { n: moved.count })]),
  ].join(' · ')
}

export function isUnchanged({ isKnown, added, removed, moved }: ScheduleImpact): boolean {
  return isKnown && added.count + removed.count + moved.count === 0
}
