import { t } from '../../locales/text.ts'
import { formatBytes } from '../../utils/bytes.ts'
import { formatDuration } from '../../utils/duration.ts'
import { formatInstant } from '../../utils/time.ts'
import type { TaskForm } from './task-form.ts'

function retryWords({ retry }: TaskForm): string {
  if (retry.max === 0) return t('editor.sums.noRetry')
  const named = { n: retry.max, delay: formatDuration(retry.delayMs), longest: formatDuration(retry.maxDelayMs) }
  return t(retry.backoff === 'fixed' || retry.max === 1 || retry.maxDelayMs <= retry.delayMs ? 'editor.sums.retry' : 'editor.sums.retryGrowing', named)
}

function shardWords(kind: 'fixed' | 'range' | 'list' | 'broadcast', { total, from, to, size }: TaskForm['sharding']): string {
  switch (kind) {
    case 'fixed':
      return t('editor.sums.fixedShards', { n: total })
    case 'range':
      return t('editor.sums.rangeShards', { from, to, size })
    case 'list':
      return t('editor.sums.listShards', { n: size })
    case 'broadcast':
      return t('editor.sums.broadcastShards')
  }
}

/** What a folded part of the editor holds, in one line. */
export const summaries = {
  shards({ sharding, concurrency }: TaskForm): string {
    if (sharding.kind === 'none') return t('editor.sums.noShards')
    const shards = shardWords(sharding.kind, sharding)
    return concurrency > 0 ? t('editor.sums.shardsAtOnce', { shards, max: concurrency }) : shards
  },
  params(form: TaskForm): string {
    const first = form.params.trim().replace(/\s+/g, ' ')
    if (first === '') return t('editor.sums.none')
    const size = new TextEncoder().encode(form.params).length
    return size <= 60 ? first : t('editor.sums.paramsSize', { first: `${first.slice(0, 48)}…`, size: formatBytes(size) })
  },
  retry(form: TaskForm): string {
    const words = retryWords(form)
    const withLoss = form.onLost === 'fail' && form.retry.max > 0 ? t('editor.sums.lostFails', { retry: words }) : words
    return form.pauseAfterFailures === 0 ? withLoss : t('editor.sums.pauses', { retry: withLoss, n: form.pauseAfterFailures })
  },
  limit(form: TaskForm): string {
    const limit = form.timeoutMs === 0 ? t('editor.sums.noLimit') : t('editor.sums.limit', { limit: formatDuration(form.timeoutMs), grace: formatDuration(form.killGraceMs) })
    return form.queueTimeoutMs === 0 ? limit : t('editor.sums.waits', { limit, longest: formatDuration(form.queueTimeoutMs) })
  },
  overlap({ overlap, concurrency, sharding }: TaskForm): string {
    const policy = t(`editor.overlaps.${overlap.policy}`)
    if (overlap.policy === 'parallel' && concurrency > 0 && sharding.kind === 'none') return t('editor.sums.overlapParallel', { policy, max: concurrency })
    return overlap.policy === 'queue' ? t('editor.sums.overlapQueue', { policy, max: overlap.max }) : policy
  },
  misfire({ misfire }: TaskForm): string {
    const named = { policy: t(`editor.misfires.${misfire.policy}`), grace: formatDuration(misfire.graceMs), max: misfire.max }
    return t(misfire.policy === 'fireAll' ? 'editor.sums.misfireAll' : 'editor.sums.misfire', named)
  },
  where(form: TaskForm): string {
    const routing = t(`editor.routings.${form.routing}`)
    const where = t('editor.sums.where', { routing: form.routingKey === '' ? routing : t('editor.sums.whereKey', { routing, key: form.routingKey }), priority: form.priority })
    const labels = form.labels.filter(({ name }) => name.trim() !== '').map(({ name, value }) => `${name.trim()}=${value.trim()}`).join(', ')
    return labels === '' ? where : t('editor.sums.whereLabels', { where, labels })
  },
  valid({ schedule }: TaskForm, nowMs: number): string {
    const [from, until] = [schedule.validFrom, schedule.validUntil].map((at) => (at === null ? '' : formatInstant(at, nowMs)))
    if (from === '' && until === '') return t('editor.sums.always')
    return t(from === '' ? 'editor.sums.until' : until === '' ? 'editor.sums.from' : 'editor.sums.fromUntil', { from: from ?? '', until: until ?? '' })
  },
  about(form: TaskForm): string {
    const parts = [form.description, form.owner, form.tags.join(', ')].filter((part) => part !== '')
    return parts.length === 0 ? t('editor.sums.none') : parts.join(' · ')
  },
} as const
