import { hostname } from 'node:os'
import type { Config } from './config/schema.ts'
import type { EngineOptions } from './engine/engine.ts'

/** This process among the nodes. Two on one machine differ by their ports; where the port is chosen at start, by their process ids. */
export function nodeOf({ node, port, role }: Config): EngineOptions['node'] {
  return {
    name: node.name === '' ? `${hostname()}:${port === 0 ? process.pid : port}` : node.name,
    url: node.url.replace(/\/$/, ''),
    roles: role === 'all' ? ['api', 'scheduler'] : [role],
  }
}
