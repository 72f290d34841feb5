'use strict'

const { spawnSync } = require('child_process')
const fs = require('fs')
const { digestOf } = require('./digest.cjs')
const { environmentOf } = require('./npm.cjs')
const { inCache, inProject, root } = require('./paths.cjs')
const { Refusal } = require('./refusal.cjs')

const nodePackages = ['core', 'contract', 'executor', 'server', 'cli']
const everyBuild = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.build.json', 'scripts/bootstrap/build.cjs']

const buildNode = buildStage({
  label: 'building the server',
  stamp: inCache('built-node'),
  sources: everyBuild.concat(nodePackages.flatMap((name) => [name + '/src', name + '/tsconfig.json', name + '/package.json'])),
  outputs: nodePackages.map((name) => inProject(name, 'dist', 'index.js')),
  program: ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.build.json'],
  cwd: root,
})

const buildWeb = buildStage({
  label: 'building the console',
  stamp: inCache('built-web'),
  sources: everyBuild.concat(['web', 'core/src', 'contract/src']),
  outputs: [inProject('web', 'dist', 'index.html')],
  program: ['../node_modules/vite/bin/vite.js', 'build'],
  cwd: inProject('web'),
})

// The hash is taken before the build: a file saved meanwhile makes the next start build again.
function buildStage({ label, stamp, sources, outputs, program, cwd }) {
  return {
    label,
    stamp,
    isNeeded: () =>
      outputs.some((file) => !fs.existsSync(file)) || !fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== digestOf(sources),
    work(node) {
      const digest = digestOf(sources)
      fs.rmSync(stamp, { force: true })
      const result = spawnSync(node, program, {
        cwd,
        // a test that builds must not get another console than people do
        env: { ...environmentOf(node), NODE_ENV: 'production' },
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      if (result.status !== 0)
        throw new Refusal((result.stdout + result.stderr).trim() + '\n' + label + ' failed: the reason stands above.')
      fs.mkdirSync(inCache(), { recursive: true })
      fs.writeFileSync(printedBy(stamp), result.stdout)
      fs.writeFileSync(stamp, digest)
    },
  }
}

/** The file with what the last build said, beside its stamp. */
function printedBy(stamp) {
  return stamp + '.log'
}

/** What each page of the console weighs, as its last build has found it. */
function webSizes() {
  return fs.readFileSync(printedBy(buildWeb.stamp), 'utf8')
}

module.exports = { buildNode, buildWeb, webSizes }
