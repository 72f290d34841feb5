import { onScopeDispose, ref, type Ref } from 'vue'

/** Whether the window is at most so wide: for what a page leaves out on a phone, where CSS alone cannot say it. */
export function useNarrow(widthPx: number): Readonly<Ref<boolean>> {
  const media = window.matchMedia(`(max-width: ${widthPx}px)`)
  const isNarrow = ref(media.matches)
  const follow = (event: MediaQueryListEvent) => (isNarrow.value = event.matches)
  media.addEventListener('change', follow)
  onScopeDispose(() => media.removeEventListener('change', follow))
  return isNarrow
}
