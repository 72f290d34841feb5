import { parentPort } from 'node:worker_threads'
import { play, type PlayOptions } from './play.ts'

/** One thread of `playMany`: a seed comes in, its outcome goes out. */
parentPort?.on('message', (options: PlayOptions) => {
  void play(options).then((outcome) => parentPort?.postMessage(outcome))
})
