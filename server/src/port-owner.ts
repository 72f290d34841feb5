import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

const LISTENING = '0A'

/** Which process listens on a port, `node (process 4711)`, as far as this system tells it to this user; null otherwise. */
export function findPortOwner(port: number): string | null {
  if (process.platform !== 'linux') return null
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => inodesOf(table, port)))
    const pid = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .find((name) => holdsSocket(name, inodes))
    return pid === undefined ? null : `${nameOf(pid)} (process ${pid})`
  } catch {
    return null
  }
}

/** The program's name; Node.js renames its main thread, so `comm` alone would say little. */
function nameOf(pid: string): string {
  const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  return program === '' ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : basename(program)
}

function inodesOf(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync(table, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      return local?.endsWith(wanted) === true && state === LISTENING && inode !== undefined ? [inode] : []
    })
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ''),
    )
  } catch {
    return false
  }
}
