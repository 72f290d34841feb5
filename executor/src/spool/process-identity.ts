import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/**
 * Names a process beyond its pid, which is used again after its end: on Linux the boot of the machine and the start time of the process
 * (`/proc/<pid>/stat`, field 22), elsewhere the start time that `ps` prints. Null when there is no such process.
 */
export function identityOf(pid: number): string | null {
  return process.platform === 'linux' ? identityFromProc(pid) : identityFromPs(pid)
}

function identityFromProc(pid: number): string | null {
  const stat = statOf(pid)
  return stat === null || isDead(stat) ? null : `${machineBoot()}/${stat.startTime}`
}

function identityFromPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}

/**
 * The processes of a group that can still do something. Zombies that nobody has collected do not count: they are gone but for their
 * entry. Empty when there is none, or when the system has no /proc.
 */
export function membersOf(group: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isMember(pid, group))
}

function isMember(pid: number, group: number): boolean {
  const stat = statOf(pid)
  return stat !== null && stat.group === group && !isDead(stat)
}

/** The environment that a process started with; empty when it may not be read. */
export function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, 'utf8')
  } catch {
    return ''
  }
}

interface ProcessStat {
  readonly state: string
  readonly group: number
  readonly startTime: string
}

function statOf(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
    // the second field is the name in brackets and may hold anything
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? 'X', group: Number(fields[2]), startTime: fields[19] ?? '' }
  } catch {
    return null
  }
}

function isDead(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X'
}

let bootOfMachine: string | null = null

function machineBoot(): string {
  bootOfMachine ??= readBoot()
  return bootOfMachine
}

function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return 'unknown'
  }
}
