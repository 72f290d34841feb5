'use strict'

const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { runNpm } = require('./npm.cjs')
const { inCache } = require('./paths.cjs')
const { Refusal } = require('./refusal.cjs')
const { underLock } = require('./lock.cjs')
const { timed } = require('./timed.cjs')

const oldest = [22, 12]
const home = inCache('node24')

/** The path of a Node.js that is new enough: the running one, the one brought earlier, or one brought now from npm. */
function newestNode() {
  if (isNewEnough(process.versions.node)) return process.execPath
  const program = broughtProgram(home)
  if (!fs.existsSync(program)) underLock('node24', () => fs.existsSync(program) || bring())
  return program
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

function packageName() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const prefix = platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  return [prefix, platform, process.arch].join('-')
}

function broughtProgram(folder) {
  return path.join(folder, 'node_modules', packageName(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

// Brought into a folder beside its place and moved when it is whole, so that a broken download is never taken for a program.
function bring() {
  const label = 'Node.js ' + process.versions.node + ' is too old for Tickwheel: bringing Node.js 24 from npm into .cache/node24'
  timed(label, () => {
    const draft = home + '.draft'
    fs.rmSync(draft, { recursive: true, force: true })
    fs.mkdirSync(draft, { recursive: true })
    const args = [
      'install',
      '--ignore-scripts',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--prefix',
      draft,
      packageName() + '@24',
    ]
    const { ok, output } = runNpm(process.execPath, args, draft)
    if (!ok) throw new Refusal(advice(firstLines(output)))
    const started = spawnSync(broughtProgram(draft), ['--version'], { encoding: 'utf8' })
    if (started.status !== 0) throw new Refusal(advice('the program that npm brought does not start: ' + (started.stderr || started.error)))
    fs.rmSync(home, { recursive: true, force: true })
    fs.renameSync(draft, home)
  })
}

function firstLines(output) {
  return output.trim().split('\n').slice(0, 4).join('\n')
}

function advice(reason) {
  return (
    'Node.js 24 could not be brought from npm (package ' +
    packageName() +
    '):\n' +
    reason +
    '\n' +
    'Install Node.js 22.12 or later (24 is best: https://nodejs.org) and run this command again.'
  )
}

module.exports = { newestNode, isNewEnough }
