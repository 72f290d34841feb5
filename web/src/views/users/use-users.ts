import { computed, onMounted, watch } from 'vue'
import { useCall } from '../../api/use-call.ts'
import { listUsers } from '../../api/users.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'

/** The page of users that the address asks for. */
export function useUsers() {
  const { query, change, clear } = useUrlQuery(['q', 'role', 'state', 'page', 'size', 'user'])
  const users = useCall(() => {
    const { q, role, state, page, size } = query.value
    return listUsers({
      page: Number(page ?? 1), pageSize: Number(size ?? 20),
      ...(q === undefined ? {} : { keyword: q }), ...(role === undefined ? {} : { role }), ...(state === undefined ? {} : { disabled: state === 'disabled' }),
    })
  })
  onMounted(users.load)
  watch(() => JSON.stringify({ ...query.value, user: '' }), users.load)
  const isFiltered = computed(() => query.value.q !== undefined || query.value.role !== undefined || query.value.state !== undefined)
  return { query, change, clear, isFiltered, ...users }
}
