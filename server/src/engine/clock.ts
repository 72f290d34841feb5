/**
 * Time as the engine sees it. `now` is cluster time in epoch ms: whatever is stored or compared comes from here. `monotonic` never goes back and
 * measures how long something took. `wake` calls back once, at or after an instant of cluster time; the handle cancels. `after` calls
 * back once when so many ms have passed, whatever cluster time does meanwhile. `breathe` resolves when what has
 * arrived by now has been handed over: a stage takes a breath before it takes a batch, so that one commit serves all of it.
 */
export interface Clock {
  now(): number
  monotonic(): number
  wake(at: number, call: () => void): Wake
  after(ms: number, call: () => void): Wake
  breathe(): Promise<void>
}

export interface Wake {
  cancel(): void
}
