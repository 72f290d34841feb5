#!/usr/bin/env node
/*
 * `tickwheel`. In a clone of the repository it goes through the bootstrap, which finds a new enough Node.js and builds what changed;
 * in an installed package it runs what was published.
 */
'use strict'

const fs = require('fs')
const path = require('path')

const bootstrap = path.join(__dirname, '..', '..', 'scripts', 'bootstrap.cjs')

if (fs.existsSync(bootstrap)) {
  process.argv.splice(2, 0, 'tickwheel')
  require(bootstrap)
} else {
  import('../dist/main.js').catch((error) => {
    process.stderr.write(error.stack + '\n')
    process.exitCode = 1
  })
}
