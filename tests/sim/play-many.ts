import { Worker } from 'node:worker_threads'
import type { Outcome } from './play.ts'

export interface ManyOptions {
  readonly seeds: readonly number[]
  readonly nodes?: number
  /** so many at the same time, each in a thread */
  readonly jobs: number
  /** no further seed is begun after so long, ms; there is no end unless told */
  readonly withinMs?: number
  readonly onOutcome: (outcome: Outcome) => void
}

/** Plays many seeds, each by itself. Rejects when a play ends with an error that nobody caught. */
export async function playMany({ seeds, nodes, jobs, withinMs = Infinity, onOutcome }: ManyOptions): Promise<void> {
  const left = [...seeds]
  const endAt = performance.now() + withinMs
  const next = (): number | undefined => (performance.now() < endAt ? left.shift() : undefined)
  const threads = Array.from({ length: Math.min(jobs, seeds.length) }, () => new Thread())
  try {
    await Promise.all(
      threads.map(async (thread) => {
        for (let seed = next(); seed !== undefined; seed = next()) onOutcome(await thread.play(seed, nodes))
      }),
    )
  } finally {
    await Promise.all(threads.map((thread) => thread.end()))
  }
}

class Thread {
  readonly #worker = new Worker(new URL('./play-thread.ts', import.meta.url), {
    execArgv: ['--conditions=development', '--experimental-strip-types', '--disable-warning=ExperimentalWarning'],
  })

  async play(seed: number, nodes: number | undefined): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        const text = error instanceof Error ? String(error.stack) : String(error)
        reject(new Error(`seed ${seed} (npm run sim -- --seed ${seed} --trace) ended with ${text}`))
      }
      this.#worker.removeAllListeners()
      this.#worker.once('message', resolve)
      this.#worker.once('error', failed)
      this.#worker.postMessage({ seed, nodes })
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
