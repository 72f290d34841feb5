import type { RouteAnswer, RoutePlace } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

/** Why an executor is where it is in the preview: what stands in its way, or what the strategy looked at. */
export function placeWords(place: RoutePlace, answer: RouteAnswer): string {
  const parts = [obstacleWords(place), rankWords(place, answer)].filter((part) => part !== '')
  return parts.length === 0 ? t('task.route.ready') : parts.join(' · ')
}

function obstacleWords({ obstacle, facts }: RoutePlace): string {
  if (obstacle === null) return ''
  return t(`task.route.obstacles.${obstacle}`, { labels: textOf(facts['labels']) })
}

/** What the strategy of the task knows of an executor that is asked. */
function rankWords({ facts, place }: RoutePlace, { strategy }: RouteAnswer): string {
  switch (strategy) {
    case 'random':
    case 'roundRobin':
    case 'first':
    case 'last':
    case 'failover':
    case 'leastLoaded':
      return ''
    case 'consistentHash':
      if (place === null) return ''
      if (typeof facts['over'] === 'number') return t('task.route.over', { most: facts['over'] })
      return facts['place'] === 1 ? t('task.route.home') : ''
    case 'leastUsed':
      return typeof facts['uses'] === 'number' ? t('task.route.uses', { uses: facts['uses'] }) : ''
    case 'leastRecentlyUsed':
      return place !== null && facts['usedAt'] === null ? t('task.route.unused') : ''
  }
}

/** What turns and uses are remembered only by the node that decides. */
export function isUncertain({ isDecidedHere, strategy }: RouteAnswer): boolean {
  return !isDecidedHere && (strategy === 'roundRobin' || strategy === 'leastUsed' || strategy === 'leastRecentlyUsed' || strategy === 'leastLoaded')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
