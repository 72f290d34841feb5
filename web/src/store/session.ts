import type { Me, User } from '@tickwheel/contract'
import type { Permission } from '@tickwheel/core'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { changePassword, fetchMe, login, logout } from '../api/auth.ts'
import { adoptSession } from '../api/client.ts'
import { toProblem } from '../api/problem.ts'
import { forgetVisits } from '../components/palette/recent-visits.ts'
import { dropSession, readSession, watchSession } from '../api/session-vault.ts'

/** Who is signed in, and what they may do. */
export const useSession = defineStore('session', () => {
  const user = ref<User | null>(readSession()?.user ?? null)
  const grants = shallowRef<Me['grants'] | null>(null)
  /** what gives these rights */
  const bindings = shallowRef<Me['bindings']>([])
  /** false: not asked for yet, or the server could not be reached */
  const knowsRights = computed(() => grants.value !== null)
  const isSignedIn = computed(() => user.value !== null)
  /** signed out by hand, not by the server or by time */
  const hasLeft = ref(false)
  const mustChangePassword = computed(() => user.value?.mustChangePassword === true)

  watchSession((held) => {
    if (held?.user.id !== user.value?.id) grants.value = null
    user.value = held?.user ?? null
  })

  /** Reads the rights once. A first password that must be changed leaves them empty. */
  async function loadGrants(): Promise<void> {
    if (grants.value !== null || !isSignedIn.value || mustChangePassword.value) return
    try {
      const me = await fetchMe()
      user.value = me.user
      grants.value = me.grants
      bindings.value = me.bindings
    } catch (failure) {
      const problem = toProblem(failure)
      if (problem.code === 'PASSWORD_CHANGE_REQUIRED' && user.value !== null) user.value = { ...user.value, mustChangePassword: true }
      else if (problem.status === 401) dropSession()
      else throw problem
    }
  }

  async function signIn(username: string, password: string): Promise<void> {
    adoptSession(await login(username, password))
    hasLeft.value = false
    grants.value = null
  }

  /** Signs out here even when the server cannot be reached: the token ends by itself. */
  async function signOut(): Promise<void> {
    await logout().catch(() => null)
    if (user.value !== null) forgetVisits(user.value.id)
    hasLeft.value = true
    dropSession()
  }

  async function setPassword(current: string, next: string): Promise<void> {
    adoptSession(await changePassword(current, next))
    grants.value = null
  }

  /** Whether this user may do `permission`, in one group or, without one, in any. For showing only: the server decides. */
  function may(permission: Permission, groupId?: number): boolean {
    const held = grants.value
    if (held === null) return false
    if (held.all.includes(permission)) return true
    if (groupId !== undefined) return held.groups[String(groupId)]?.includes(permission) === true
    return Object.values(held.groups).some((permissions) => permissions.includes(permission))
  }

  /** Whether this user may do `permission` in all groups, such as creating a group. */
  function mayEverywhere(permission: Permission): boolean {
    return grants.value?.all.includes(permission) === true
  }

  return { user, bindings, knowsRights, isSignedIn, hasLeft, mustChangePassword, loadGrants, signIn, signOut, setPassword, may, mayEverywhere }
})

/** `const may = useMay(); may('task:edit', groupId)`: what may not be done is not shown. */
export function useMay(): (permission: Permission, groupId?: number) => boolean {
  return useSession().may
}
