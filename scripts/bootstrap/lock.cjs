'use strict'

const fs = require('fs')
const { inCache } = require('./paths.cjs')

/**
 * Does the work while no other bootstrap of this checkout does work of the same name: the quick start opens two terminals at once.
 * The lock is a file that holds a process id; one whose process is gone is taken over.
 */
function underLock(name, work) {
  const file = inCache(name + '.lock')
  fs.mkdirSync(inCache(), { recursive: true })
  let told = false
  while (!taken(file)) {
    if (!told) process.stderr.write('waiting for another run that is preparing this checkout (' + file + ')\n')
    told = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  try {
    return work()
  } finally {
    fs.rmSync(file, { force: true })
  }
}

function taken(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!isHeld(file)) fs.rmSync(file, { force: true })
    return false
  }
}

// A file just made may still be empty: its writer lives.
function isHeld(file) {
  try {
    const holder = Number(fs.readFileSync(file, 'utf8'))
    if (holder === 0) return Date.now() - fs.statSync(file).mtimeMs < 5000
    process.kill(holder, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

module.exports = { underLock }
