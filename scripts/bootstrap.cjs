#!/usr/bin/env node
/*
 * Every npm script of this project starts here. Plain CommonJS without a dependency, because it runs before anything is installed
 * and on Node.js 18 and later, while the program itself needs 22.12 (see docs/adr/0001-node-24-bootstrap.md).
 *
 *   node ──▶ install ──▶ build (only what changed) ──▶ the command, under the Node.js that was found
 *
 * Each stage that has nothing to do says nothing. A stage that works prints its name and its seconds on stderr.
 */
'use strict'

const { commands } = require('./bootstrap/commands.cjs')
const { newestNode } = require('./bootstrap/node24.cjs')
const { Refusal } = require('./bootstrap/refusal.cjs')
const { runStages } = require('./bootstrap/stages.cjs')

async function main(name, args) {
  const command = commands[name]
  if (command === undefined) throw new Refusal('Unknown command "' + name + '". Known: ' + Object.keys(commands).join(', ') + '.')
  const node = newestNode()
  runStages(node, command.stages(args))
  return command.run(node, args)
}

main(process.argv[2] || 'start', process.argv.slice(3)).then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    process.stderr.write((error instanceof Refusal ? error.message : error.stack) + '\n')
    process.exitCode = 1
  },
)
