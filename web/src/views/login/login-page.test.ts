import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { emptyWorld } from '../../../dev/mock/world.ts'
import { readSession } from '../../api/session-vault.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import LoginPage from './login-page.vue'

const world = emptyWorld(Date.now())

async function open() {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }] })
  const page = mount(LoginPage, { global: { plugins: [createPinia(), i18n, router] }, attachTo: document.body })
  await flushPromises()
  return page
}

describe('the sign-in page', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    localStorage.clear()
    useMockApi(world)
    world.password = 'admin123'
  })

  it('shows the first account only while it has its first password', async () => {
    expect((await open()).text()).toContain('admin123')
    world.password = 'another one'
    expect((await open()).text()).not.toContain('admin123')
  })

  it('says what is missing before it asks the server', async () => {
    const page = await open()
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(page.text()).toContain('Enter the password.'), { timeout: 15_000 })
    expect(page.text()).toContain('Enter the user name.')
  })

  it('refuses in words, and signs nobody in', async () => {
    const page = await open()
    await page.find('#username').setValue('admin')
    await page.find('#password').setValue('wrong')
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(page.find('[role="alert"]').text()).toBe('User name or password is wrong.')
    expect(readSession()).toBeNull()
  })

  it('keeps the session for every tab when the password is right', async () => {
    const page = await open()
    await page.find('#username').setValue('admin')
    await page.find('#password').setValue('admin123')
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(readSession()?.user.username).toBe('admin')
  })
})
