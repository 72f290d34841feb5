'use strict'

const fs = require('fs')
const path = require('path')
const { buildNode, buildWeb, webSizes } = require('./build.cjs')
const { runProgram, runTogether } = require('./child.cjs')
const { install } = require('./install.cjs')
const { inProject } = require('./paths.cjs')
const { Refusal } = require('./refusal.cjs')
const { runTests } = require('./tests.cjs')

const program = inProject('cli', 'dist', 'main.js')
const oneSignal = ['--require', inProject('scripts', 'bootstrap', 'one-signal.cjs')]
const fromSources = ['--conditions=development', '--experimental-strip-types', '--disable-warning=ExperimentalWarning']
const tool = (file) => inProject('node_modules', file)
const always = (stage) => ({ ...stage, isNeeded: () => true })

const watchedServer = {
  args: ['--watch', '--watch-preserve-output', ...oneSignal, ...fromSources, inProject('cli', 'src', 'main.ts'), 'start'],
  stdin: 'ignore',
}
const consoleWithReload = { args: [tool('vite/bin/vite.js')], cwd: inProject('web'), stdin: 'ignore' }

/** What can be asked of the bootstrap: the stages that must have been done, then the command itself. */
const commands = {
  start: {
    stages: () => [install, buildNode, buildWeb],
    run: (node, args) => runProgram(node, ['--enable-source-maps', ...oneSignal, program, 'start', ...args]),
  },
  tickwheel: {
    stages: () => [install, buildNode],
    run: (node, args) => runProgram(node, ['--enable-source-maps', ...oneSignal, program, ...args], { cwd: process.cwd() }),
  },
  dev: { stages: () => [install], run: (node) => runTogether(node, [watchedServer, consoleWithReload]) },
  'dev:server': { stages: () => [install], run: (node) => runTogether(node, [watchedServer]) },
  'dev:web': {
    stages: () => [install],
    run: (node, args) => runProgram(node, [...consoleWithReload.args, ...args], { cwd: consoleWithReload.cwd }),
  },
  build: { stages: () => [install, always(buildNode), always(buildWeb)], run: showSizes },
  'build:server': { stages: () => [install, always(buildNode)], run: async () => 0 },
  'build:web': { stages: () => [install, always(buildWeb)], run: showSizes },
  // A run of chosen files builds nothing; the whole run has browser tests, which walk the built console.
  test: { stages: (args) => (args.some((arg) => !arg.startsWith('-')) ? [install] : [install, buildWeb]), run: runTests },
  typecheck: { stages: () => [install], run: typecheck },
  lint: {
    stages: () => [install],
    run: (node, args) => runProgram(node, [tool('eslint/bin/eslint.js'), '--max-warnings=0', ...(args.length > 0 ? args : ['.'])]),
  },
  format: {
    stages: () => [install],
    run: (node, args) => runProgram(node, [tool('prettier/bin/prettier.cjs'), '--write', ...(args.length > 0 ? args : ['.'])]),
  },
  example: { stages: () => [install, buildNode], run: runExample },
  bench: { stages: () => [install, buildNode], run: runBenches },
  torture: {
    stages: () => [install],
    run: (node, args) => runProgram(node, [...oneSignal, ...fromSources, inProject('scripts', 'torture.ts'), ...args]),
  },
  sim: { stages: () => [install], run: (node, args) => runProgram(node, [...fromSources, inProject('scripts', 'sim.ts'), ...args]) },
  fuzz: { stages: () => [install], run: (node, args) => runProgram(node, [...fromSources, inProject('scripts', 'fuzz.ts'), ...args]) },
  demo: {
    stages: () => [install, buildNode, buildWeb],
    run: (node, args) => runProgram(node, [...oneSignal, ...fromSources, inProject('scripts', 'demo.ts'), ...args], { cwd: process.cwd() }),
  },
  screenshots: {
    stages: () => [install, buildNode, buildWeb],
    run: (node, args) => runProgram(node, [...fromSources, inProject('scripts', 'screenshots.ts'), ...args]),
  },
}

async function showSizes() {
  process.stdout.write(webSizes())
  return 0
}

async function typecheck(node) {
  const ofNode = await runProgram(node, [tool('typescript/bin/tsc'), '-p', 'tsconfig.json', '--noEmit'])
  const ofConsole = await runProgram(node, [tool('vue-tsc/bin/vue-tsc.js'), '-p', 'web/tsconfig.json', '--noEmit'])
  return ofNode || ofConsole
}

async function runExample(node, [name = 'billing', ...args]) {
  const file = inProject('examples', name, 'main.ts')
  if (!fs.existsSync(file))
    throw new Refusal('There is no example "' + name + '". Known: ' + fs.readdirSync(inProject('examples')).join(', ') + '.')
  return runProgram(node, ['--experimental-strip-types', '--disable-warning=ExperimentalWarning', ...oneSignal, file, ...args])
}

// One file for each published claim: `npm run bench` runs all, `npm run bench wheel` those whose name holds the word.
async function runBenches(node, args) {
  const words = args.filter((arg) => !arg.startsWith('-'))
  const files = fs
    .readdirSync(inProject('bench'))
    .filter((name) => name.endsWith('.bench.ts') && (words.length === 0 || words.some((word) => name.includes(word))))
  if (files.length === 0) process.stderr.write('No file bench/*.bench.ts has one of these words in its name: ' + words.join(', ') + '\n')
  let code = files.length === 0 ? 1 : 0
  for (const name of files) {
    process.stdout.write('\n' + path.basename(name, '.bench.ts') + '\n')
    code = (await runProgram(node, ['--expose-gc', ...fromSources, inProject('bench', name)])) || code
  }
  return code
}

module.exports = { commands }
