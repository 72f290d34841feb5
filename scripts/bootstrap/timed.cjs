'use strict'

/** Does the work and prints `label … 1.2 s` on stderr, the label before and the seconds after it. */
function timed(label, work) {
  const startedAt = Date.now()
  process.stderr.write(label + ' … ')
  try {
    const answer = work()
    process.stderr.write(((Date.now() - startedAt) / 1000).toFixed(1) + ' s\n')
    return answer
  } catch (error) {
    process.stderr.write('failed\n')
    throw error
  }
}

module.exports = { timed }
