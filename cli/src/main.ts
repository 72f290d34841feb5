#!/usr/bin/env node
/*
 * `tickwheel`: what a person types. Everything else is loaded after the version of Node.js was looked at, because an old one fails over the
 * syntax of the first file and says nothing that helps.
 */
const OLDEST = [22, 12] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(
    `Tickwheel needs Node.js ${OLDEST.join('.')} or later, this is ${process.versions.node}: install a newer one from https://nodejs.org.\n`,
  )
  process.exitCode = 1
} else {
  const { runCommandLine } = await import('./command-line.ts')
  process.exitCode = await runCommandLine(process.argv)
}

export {}
