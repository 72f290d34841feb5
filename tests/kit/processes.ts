import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** The most resident memory that a process ever had since its start or since `forgetPeak`, in bytes: VmHWM. Linux only. */
export function peakMemory(pid: number): number {
  return kibibytesOf(pid, 'VmHWM') * 1024
}

/** Forgets the peak so far, so that `peakMemory` tells of what comes now. Linux only. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${String(pid)}/clear_refs`, '5')
}

function kibibytesOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kibibytes === undefined) throw new Error(`/proc/${String(pid)}/status does not tell ${field}`)
  return Number(kibibytes)
}

/** The processes whose environment holds a text and that can still do something (a zombie cannot). Linux only. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && !isZombie(pid) && read(`/proc/${String(pid)}/environ`).includes(text))
}

function isZombie(pid: number): boolean {
  const stat = read(`/proc/${String(pid)}/stat`)
  return stat === '' || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // the process has ended, or may not be read
    return ''
  }
}
