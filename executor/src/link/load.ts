import { cpus } from 'node:os'
import type { Load } from '@tickwheel/contract'

/** Measures the machine between two calls: cpu is the share of all cores in use since the last call. */
export class LoadMeter {
  #last = cpuTimes()

  read(pool: { readonly running: number; readonly queued: number }): Load {
    const now = cpuTimes()
    const total = now.total - this.#last.total
    const busy = now.busy - this.#last.busy
    this.#last = now
    return {
      cpu: total > 0 ? Math.min(1, Math.max(0, busy / total)) : 0,
      memory: process.memoryUsage.rss(),
      running: pool.running,
      queued: pool.queued,
    }
  }
}

function cpuTimes(): { readonly busy: number; readonly total: number } {
  let busy = 0
  let total = 0
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq
    busy += working
    total += working + times.idle
  }
  return { busy, total }
}
