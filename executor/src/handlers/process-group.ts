import { membersOf } from '../spool/process-identity.ts'

const POLL_MS = 20
/** after SIGKILL: a process that waits for a disk may take its time, and nothing more can be done about it */
const AFTER_KILL_MS = 2_000

/** Sends a signal to every process of a group; nothing happens when there is none left. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // ESRCH: none left; EPERM: what is left belongs to another user and cannot be ended from here
  }
}

/** Whether a process of the group can still do something. */
export function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch {
    return false
  }
  // zombies whose parent never collects them answer signals for ever
  return process.platform === 'linux' ? membersOf(group).length > 0 : true
}

/** Ends what is left of a group: SIGTERM, `graceMs` later SIGKILL. Resolves when it is gone, or nothing more can be done. */
export async function endGroup(group: number, graceMs: number): Promise<'gone' | 'left'> {
  if (!groupLives(group)) return 'gone'
  signalGroup(group, 'SIGTERM')
  if (await isGoneWithin(group, graceMs)) return 'gone'
  signalGroup(group, 'SIGKILL')
  return (await isGoneWithin(group, AFTER_KILL_MS)) ? 'gone' : 'left'
}

async function isGoneWithin(group: number, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs
  while (groupLives(group)) {
    if (performance.now() >= until) return false
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return true
}
