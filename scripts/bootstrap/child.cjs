'use strict'

const { spawn } = require('child_process')
const os = require('os')
const { environmentOf } = require('./npm.cjs')
const { root } = require('./paths.cjs')

/*
 * Signals. A server takes a second signal as "stop at once", so one press of Ctrl-C must reach it as one. A terminal signals the whole
 * foreground group, npm forwards what it gets to this process, and a supervisor may signal this process alone, or the group. So:
 * on a terminal SIGINT is left to the terminal; everything else is passed on; and programs of our own load
 * one-signal.cjs, which takes repeats within a second as one.
 *
 * npm runs a script through a shell, and signals that shell alone: a supervisor that stops npm ends npm and the shell, and what they
 * started is left behind without a word. So under npm the loss of the parent counts as SIGTERM.
 */
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP']
const parentCheckMs = 250

/** Runs a program under the given Node.js with the streams of this process; the answer is its exit code. */
function runProgram(node, args, options = {}) {
  return runTogether(node, [{ args, ...options }])
}

/** Runs several programs until the first of them ends, then ends the others; the answer is the exit code of the first. */
function runTogether(node, programs) {
  const children = programs.map(({ args, cwd = root, env = {}, stdin = 'inherit' }) =>
    spawn(node, args, { cwd, env: { ...environmentOf(node), ...env }, stdio: [stdin, 'inherit', 'inherit'] }),
  )
  const pass = (signal) => {
    if (!(signal === 'SIGINT' && isOnTerminal())) for (const child of children) child.kill(signal)
  }
  for (const signal of passedOn) process.on(signal, pass)
  whenOrphaned(() => pass('SIGTERM'))
  const ends = children.map(endOf)
  return Promise.race(ends).then((code) => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    return Promise.all(ends).then(() => code)
  })
}

function whenOrphaned(act) {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    act()
  }, parentCheckMs)
  timer.unref()
}

function endOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal === null ? code : 128 + os.constants.signals[signal]))
  })
}

function isOnTerminal() {
  return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
}

module.exports = { runProgram, runTogether }
