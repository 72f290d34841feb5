'use strict'

const fs = require('fs')
const { digestOf } = require('./digest.cjs')
const { runNpm } = require('./npm.cjs')
const { root, inProject } = require('./paths.cjs')
const { Refusal } = require('./refusal.cjs')

const stamp = inProject('node_modules', '.tickwheel-stamp')

/** Installs exactly what the lock file names, when what stands in node_modules is something else. */
const install = {
  label: 'installing dependencies',
  isNeeded() {
    if (readText(stamp) === wanted()) return false
    if (!matchesLock()) return true
    fs.writeFileSync(stamp, wanted())
    return false
  },
  work(node) {
    const { ok, output } = runNpm(
      node,
      ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'],
      root,
    )
    if (!ok)
      throw new Refusal(output.trim() + '\nThe dependencies could not be installed (npm ci, in ' + root + "). The words above are npm's.")
    fs.writeFileSync(stamp, wanted())
  },
}

function wanted() {
  return digestOf(['package-lock.json']) + ' ' + process.platform + '-' + process.arch
}

// npm leaves a list of what it installed: a developer's own `npm install` is not done a second time.
function matchesLock() {
  const lock = readJson(inProject('package-lock.json'))
  const installed = readJson(inProject('node_modules', '.package-lock.json'))
  if (lock === undefined || installed === undefined) return false
  return Object.entries(lock.packages).every(
    ([place, entry]) => place === '' || !place.includes('node_modules/') || isThere(installed.packages[place], entry),
  )
}

function isThere(found, entry) {
  if (found === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true
  return found.version === entry.version
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (error) {
    return undefined
  }
}

module.exports = { install }
