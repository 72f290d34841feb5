import { getCurrentScope, onScopeDispose, ref, type Ref } from 'vue'
import { serverNow } from '../api/client.ts'

const now = ref(serverNow())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The server's time, moving once a second while any component looks at it: one timer for all countdowns of the page. */
export function useNow(): Readonly<Ref<number>> {
  if (getCurrentScope() === undefined) return now
  users += 1
  now.value = serverNow()
  timer ??= setInterval(() => (now.value = serverNow()), 1_000)
  onScopeDispose(() => {
    users -= 1
    if (users > 0) return
    clearInterval(timer)
    timer = undefined
  })
  return now
}
