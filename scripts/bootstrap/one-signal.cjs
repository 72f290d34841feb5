/*
 * Loaded before the server (node --require): repeats of a stop signal within a second are one signal. Ctrl-C in a terminal arrives at
 * `npm start` two or three times (from the terminal, and passed on by npm and by a supervisor of the group), and the server takes
 * a second signal as the wish to stop at once.
 */
'use strict'

const stopSignals = new Set(['SIGINT', 'SIGTERM', 'SIGHUP'])
const repeatMs = 1000
const emit = process.emit
let heardAt = -Infinity

process.emit = function emitOnce(name, ...args) {
  if (!stopSignals.has(name)) return emit.call(this, name, ...args)
  const now = performance.now()
  if (now - heardAt < repeatMs) return true
  heardAt = now
  return emit.call(this, name, ...args)
}
