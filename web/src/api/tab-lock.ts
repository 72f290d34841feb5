const LEASE_MS = 10_000
const PAUSE_MS = 40

/**
 * Runs `work` while no other tab of this browser runs under the same name. Web Locks exist on HTTPS and localhost only; a console opened as
 * http://192.168.… gets the same from a lease in localStorage, which is weaker but enough to keep two tabs from using one refresh token.
 */
export function underTabLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return hasLocks(navigator) ? navigator.locks.request(name, work) : underLease(name, work)
}

/** The type says always; plain HTTP says otherwise. */
function hasLocks(browser: { readonly locks?: LockManager | null }): browser is { readonly locks: LockManager } {
  return browser.locks !== undefined && browser.locks !== null
}

async function underLease<T>(name: string, work: () => Promise<T>): Promise<T> {
  const key = `${name}.lease`
  const mine = String(crypto.getRandomValues(new Uint32Array(1))[0])
  while (!(await takeLease(key, mine))) await pause(PAUSE_MS)
  try {
    return await work()
  } finally {
    if (localStorage.getItem(key)?.startsWith(`${mine}:`)) localStorage.removeItem(key)
  }
}

async function takeLease(key: string, mine: string): Promise<boolean> {
  const until = Number(localStorage.getItem(key)?.split(':')[1] ?? 0)
  if (until > Date.now()) return false
  localStorage.setItem(key, `${mine}:${Date.now() + LEASE_MS}`)
  await pause(PAUSE_MS)
  return localStorage.getItem(key)?.startsWith(`${mine}:`) ?? false
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
