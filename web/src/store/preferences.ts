import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { loadLocale, type Locale } from '../locales/i18n.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const dark = window.matchMedia('(prefers-color-scheme: dark)')

/** What a person chose for this browser: language, theme, width of the rail, keys. `public/first-paint.js` reads the same keys. */
export const usePreferences = defineStore('preferences', () => {
  const theme = ref<Theme>(readTheme())
  const isSystemDark = ref(dark.matches)
  const isDark = computed(() => theme.value === 'dark' || (theme.value === 'system' && isSystemDark.value))
  const isRailNarrow = ref(localStorage.getItem('tickwheel.rail') === 'narrow')
  /** keys of one letter do something */
  const hasLetterKeys = ref(localStorage.getItem('tickwheel.letterKeys') !== 'off')

  dark.addEventListener('change', (event) => (isSystemDark.value = event.matches))
  watch(theme, (value) => localStorage.setItem('tickwheel.theme', value))
  watch(isRailNarrow, (value) => localStorage.setItem('tickwheel.rail', value ? 'narrow' : 'wide'))
  watch(hasLetterKeys, (value) => localStorage.setItem('tickwheel.letterKeys', value ? 'on' : 'off'))
  watch(isDark, (value) => document.documentElement.classList.toggle('dark', value), { immediate: true })

  async function chooseLocale(locale: Locale): Promise<void> {
    localStorage.setItem('tickwheel.locale', locale)
    await loadLocale(locale)
  }

  return { theme, isDark, isRailNarrow, hasLetterKeys, chooseLocale }
})

function readTheme(): Theme {
  const stored = localStorage.getItem('tickwheel.theme')
  return THEMES.find((theme) => theme === stored) ?? 'system'
}
