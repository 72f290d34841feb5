import { onScopeDispose, watch } from 'vue'
import { LiveClient, type LiveEvent, type LiveListener } from './live-client.ts'

export type { LiveEvent } from './live-client.ts'

let client: LiveClient | undefined

/** The one connection of this tab. */
export function liveClient(): LiveClient {
  client ??= new LiveClient()
  return client
}

/**
 * Listens to a live topic for as long as the component lives; follows `topic` when it changes, and listens to nothing while it is null.
 * Without `after`, `onResume` says that events may have been missed during a break: read the page again.
 */
export function useLive(topic: () => string | null, onEvent: (event: LiveEvent) => void, more: Omit<LiveListener, 'topic' | 'onEvent'> = {}): void {
  let stop = () => {}
  watch(
    topic,
    (name) => {
      stop()
      stop = name === null ? () => {} : liveClient().subscribe({ ...more, topic: name, onEvent })
    },
    { immediate: true },
  )
  onScopeDispose(() => stop())
}
