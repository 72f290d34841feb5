'use strict'

const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { root } = require('./paths.cjs')

// The two files of types are written by the console's own build.
const generated = new Set(['node_modules', 'dist', '.cache', 'coverage', 'auto-imports.d.ts', 'components.d.ts'])

/** One hash over the names and contents of files and folders of the project; what does not exist counts as absent. */
function digestOf(places) {
  const hash = crypto.createHash('sha256')
  for (const file of places.flatMap((place) => filesUnder(path.join(root, place))).sort()) {
    hash
      .update(path.relative(root, file) + '\0')
      .update(fs.readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function filesUnder(place) {
  const stat = fs.statSync(place, { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (stat.isFile()) return isTest(place) ? [] : [place]
  return fs
    .readdirSync(place)
    .filter((name) => !generated.has(name))
    .flatMap((name) => filesUnder(path.join(place, name)))
}

function isTest(file) {
  return /\.(test|fixture)\.ts$/.test(file)
}

module.exports = { digestOf }
