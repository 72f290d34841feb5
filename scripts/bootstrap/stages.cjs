'use strict'

const { underLock } = require('./lock.cjs')
const { timed } = require('./timed.cjs')

/** Runs, in order, the stages that have something to do. Asks again under the lock, because another run may have done it meanwhile. */
function runStages(node, stages) {
  if (!stages.some((stage) => stage.isNeeded())) return
  underLock('bootstrap', () => {
    const needed = stages.filter((stage) => stage.isNeeded())
    needed.forEach((stage, index) => timed('[' + (index + 1) + '/' + needed.length + '] ' + stage.label, () => stage.work(node)))
  })
}

module.exports = { runStages }
