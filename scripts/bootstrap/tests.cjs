'use strict'

const fs = require('fs')
const { runProgram } = require('./child.cjs')
const { inCache } = require('./paths.cjs')

/**
 * Runs vitest and closes with one line, `N passed, N failed`. With REQUIRE_ALL_TESTS=1 a skipped test counts as failed: in
 * continuous integration nothing may be left out because a program is not installed.
 */
async function runTests(node, args) {
  const report = inCache('tests-' + process.pid + '.json')
  fs.mkdirSync(inCache(), { recursive: true })
  const reporters = ['--reporter=default', '--reporter=json', '--outputFile.json=' + report]
  const code = await runProgram(node, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args])
  const { passed, failed } = tally(report, code)
  fs.rmSync(report, { force: true })
  process.stdout.write('\n' + passed + ' passed, ' + failed + ' failed\n')
  return failed > 0 ? code || 1 : code
}

function tally(report, code) {
  if (!fs.existsSync(report)) return { passed: 0, failed: 1 }
  const files = JSON.parse(fs.readFileSync(report, 'utf8')).testResults
  const tests = files.flatMap((file) => file.assertionResults)
  const withState = (...states) => tests.filter((test) => states.includes(test.status))
  const skipped = process.env.REQUIRE_ALL_TESTS === '1' ? withState('skipped', 'pending') : []
  for (const test of skipped) process.stdout.write('skipped, but everything is required: ' + test.fullName + '\n')
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'))
  const failed = withState('failed').length + skipped.length + broken.length
  return { passed: withState('passed').length, failed: failed === 0 && code !== 0 ? 1 : failed }
}

module.exports = { runTests }
