import { currentLocale } from '../../locales/i18n.ts'
import { t } from '../../locales/text.ts'
import { formatDuration } from '../../utils/duration.ts'
import type { Concern } from './concerns.ts'

/** A concern as a sentence, with what to do about it. */
export function concernWords(concern: Concern): string {
  switch (concern.kind) {
    case 'noScheduler':
      return t('system.concerns.noScheduler')
    case 'slotsWithoutNode':
      return t('system.concerns.slotsWithoutNode', { n: concern.count })
    case 'redisAway':
      return t('system.concerns.redisAway')
    case 'redisSplit':
      return t('system.concerns.redisSplit', { nodes: listOf(concern.nodes) })
    case 'skew':
      return t(concern.skewMs > 0 ? 'system.concerns.skewAhead' : 'system.concerns.skewBehind', { node: concern.node, span: formatDuration(Math.abs(concern.skewMs)) })
    case 'lag':
      return t('system.concerns.lag', { node: concern.node, span: formatDuration(concern.lagMs) })
    case 'versions':
      return t('system.concerns.versions', { versions: listOf(concern.versions), level: concern.level })
  }
}

/** How far a clock is off, with its direction: `+640 ms`, `−1.2 s`, `0 ms`. */
export function skewWords(skewMs: number): string {
  if (Math.round(skewMs) === 0) return t('system.nodes.exact')
  return t(skewMs > 0 ? 'system.nodes.ahead' : 'system.nodes.behind', { span: formatDuration(Math.abs(skewMs)) })
}

function listOf(words: readonly string[]): string {
  return words.join(currentLocale() === 'zh' ? '、' : ', ')
}
