import { defineStore } from 'pinia'
import { ref } from 'vue'

export type ConnectionState = 'idle' | 'open' | 'lost'

/** Whether live updates arrive; the banner shows it. */
export const useConnection = defineStore('connection', () => {
  const state = ref<ConnectionState>('idle')
  /** when the next attempt is due, by this browser's clock */
  const retryAtMs = ref(0)

  return {
    state,
    retryAtMs,
    isOpen: () => void (state.value = 'open'),
    isIdle: () => void (state.value = 'idle'),
    isLost: (atMs: number) => {
      state.value = 'lost'
      retryAtMs.value = atMs
    },
  }
})
