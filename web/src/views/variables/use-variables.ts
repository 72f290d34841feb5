import type { Secret, Variable } from '@tickwheel/contract'
import { computed, onMounted, watch } from 'vue'
import { listSecrets, listVariables, type VariableKind } from '../../api/variables.ts'
import type { List } from '../../api/list.ts'
import { useCall } from '../../api/use-call.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'

/** The page of variables or secrets that the address asks for. `group`: an id, or `all` for what belongs to all groups. */
export function useVariables() {
  const { query, change, clear } = useUrlQuery(['kind', 'q', 'group', 'page', 'size'])
  const kind = computed<VariableKind>(() => (query.value.kind === 'secret' ? 'secret' : 'variable'))
  const list = useCall<List<Variable | Secret>>(() => {
    const { q, group, page, size } = query.value
    const asked = {
      page: Number(page ?? 1), pageSize: Number(size ?? 20),
      ...(q === undefined ? {} : { keyword: q }),
      ...(group === 'all' ? { scope: 'all' as const } : group === undefined ? {} : { groupId: Number(group) }),
    }
    return kind.value === 'secret' ? listSecrets(asked) : listVariables(asked)
  })
  onMounted(list.load)
  watch(query, list.load)
  return { query, change, clear, kind, ...list }
}
