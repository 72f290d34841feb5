'use strict'

const { spawnSync } = require('child_process')
const path = require('path')

// What the outer npm exports about its own invocation must not steer the inner one: `npm start -w server` would install that
// workspace alone. What the user configured (registry, proxy, cache) stays.
const ofTheOuterCall =
  /^npm_(config_(workspaces?|include_workspace_root|prefix|local_prefix|global|dry_run|omit|production|ignore_scripts)$|lifecycle_|package_|command$)/i

/** The environment in which a program finds `node` first on its path. */
function environmentOf(node) {
  const environment = {}
  for (const key of Object.keys(process.env)) if (!ofTheOuterCall.test(key)) environment[key] = process.env[key]
  const pathKey = Object.keys(environment).find((key) => key.toUpperCase() === 'PATH') || 'PATH'
  environment[pathKey] = [path.dirname(node), environment[pathKey]].filter(Boolean).join(path.delimiter)
  return environment
}

/** Runs npm under the given Node.js and keeps what it prints. Returns `{ ok, output }`. */
function runNpm(node, args, cwd) {
  const itself = process.env.npm_execpath
  const options = { cwd, env: environmentOf(node), encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] }
  const result =
    itself && /npm-cli\.c?js$/.test(itself)
      ? spawnSync(node, [itself, ...args], options)
      : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { ...options, shell: process.platform === 'win32' })
  if (result.error) return { ok: false, output: 'npm could not be started: ' + result.error.message }
  return { ok: result.status === 0, output: result.stdout + result.stderr }
}

module.exports = { environmentOf, runNpm }
