import { createHash } from 'node:crypto'

/** A Lua script that Redis runs as one step, and the name under which Redis knows it once it has run it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
