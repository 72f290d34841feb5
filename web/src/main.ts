import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/element.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './app.vue'
import { i18n, loadLocale, preferredLocale } from './locales/i18n.ts'
import { router } from './router/router.ts'

await loadLocale(preferredLocale())
createApp(App).use(createPinia()).use(i18n).use(router).mount('#app')
