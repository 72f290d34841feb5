import type { Group } from '@tickwheel/contract'
import { computed, onMounted, shallowRef } from 'vue'
import { allGroups } from '../../api/all-groups.ts'
import { allRoles } from '../../api/roles.ts'
import { useSession } from '../../store/session.ts'
import { BUILT_IN_CHOICES, type RoleChoice } from './binding-rows.ts'

/** The groups and roles that can be chosen. Who may not list roles chooses among the built-in ones and those given to them. */
export function useAccessSurroundings() {
  const session = useSession()
  const groups = shallowRef<readonly Group[]>([])
  const listed = shallowRef<readonly RoleChoice[] | null>(null)
  onMounted(load)

  async function load(): Promise<void> {
    const [theGroups, theRoles] = await Promise.all([allGroups().catch(() => []), session.mayEverywhere('role:view') ? allRoles().catch(() => null) : null])
    groups.value = theGroups
    listed.value = theRoles
  }

  const roles = computed<readonly RoleChoice[]>(() => {
    if (listed.value !== null) return listed.value
    const own = session.bindings.filter(({ role }) => !BUILT_IN_CHOICES.some(({ name }) => name === role))
    return [...BUILT_IN_CHOICES, ...new Map(own.map(({ role, permissions }) => [role, { name: role, permissions }])).values()]
  })
  const groupNames = computed(() => new Map(groups.value.map((group) => [group.id, group.name])))
  return { groups, roles, groupNames, load }
}
