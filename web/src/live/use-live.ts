import { LIVE_PATH } from '@tickwheel/contract'
import { onScopeDispose, watch } from 'vue'
import { fetchMe } from '../api/auth.ts'
import { freshToken } from '../api/client.ts'
import { readSession, watchSession } from '../api/session-vault.ts'
import { useConnection } from '../store/connection.ts'
import { LiveClient, type LiveEvent, type LiveListener } from './live-client.ts'

export type { LiveEvent } from './live-client.ts'

let client: LiveClient | undefined

/** The one connection of this tab. */
export function liveClient(): LiveClient {
  client ??= browserClient()
  return client
}

function browserClient(): LiveClient {
  const made = new LiveClient({
    connect: (protocols) => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${LIVE_PATH}`, [...protocols]),
    token: freshToken,
    // a call that is refused renews the token, and drops the session when that is refused too: the page then goes to the sign-in
    checkSession: async () => void (await fetchMe()),
    watchToken: (listener) => void watchSession((held) => listener(held?.token ?? null)),
    renewAtMs: () => readSession()?.renewAtMs ?? null,
    tellState: (state) => {
      const connection = useConnection()
      if (state === 'open') connection.isOpen()
      else if (state === 'idle') connection.isIdle()
      else connection.isLost(state.retryAtMs)
    },
    chance: Math.random,
  })
  window.addEventListener('online', () => made.wake())
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && made.wake())
  return made
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
