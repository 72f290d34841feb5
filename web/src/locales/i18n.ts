import type { Language } from 'element-plus/es/locale'
import { shallowRef } from 'vue'
import { createI18n } from 'vue-i18n'
import type { Messages } from './en.ts'

export const LOCALES = ['en', 'zh'] as const
export type Locale = (typeof LOCALES)[number]

export const i18n = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', messages: {}, missingWarn: false, fallbackWarn: false })

/** Element Plus's own texts, in the language that is shown. */
export const elementLocale = shallowRef<Language>()

const loaders: Record<Locale, () => Promise<{ messages: Messages; element: Language }>> = {
  en: async () => {
    const [ours, element] = await Promise.all([import('./en.ts'), import('element-plus/es/locale/lang/en.mjs')])
    return { messages: ours.en, element: element.default }
  },
  zh: async () => {
    const [ours, element] = await Promise.all([import('./zh.ts'), import('element-plus/es/locale/lang/zh-cn.mjs')])
    return { messages: ours.zh, element: element.default }
  },
}

/** The language for this browser: what was chosen, else Chinese where the browser speaks it, else English. */
export function preferredLocale(): Locale {
  const stored = localStorage.getItem('tickwheel.locale')
  return LOCALES.find((locale) => locale === stored) ?? (/^zh/i.test(navigator.language) ? 'zh' : 'en')
}

/** Shows the console in `locale`; its texts are fetched the first time. */
export async function loadLocale(locale: Locale): Promise<void> {
  const { messages, element } = await loaders[locale]()
  i18n.global.setLocaleMessage(locale, messages)
  i18n.global.locale.value = locale
  elementLocale.value = element
  document.documentElement.lang = locale === 'zh' ? 'zh-CN' : 'en'
}

/** The language that is shown now; reactive where it is read in a render or computed. */
export function currentLocale(): Locale {
  return i18n.global.locale.value === 'zh' ? 'zh' : 'en'
}
