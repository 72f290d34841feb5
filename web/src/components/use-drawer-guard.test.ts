import { mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive, ref } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as ask from './ask.ts'
import { useDrawerGuard } from './use-drawer-guard.ts'

async function open() {
  const isOpen = ref(true)
  const isBusy = ref(false)
  const form = reactive({ text: '' })
  let guard: ReturnType<typeof useDrawerGuard> | undefined
  const Host = defineComponent({
    setup() {
      guard = useDrawerGuard({ isOpen, draft: () => form, isBusy })
      return () => h('p')
    },
  })
  mount(Host, { global: { plugins: [createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: { render: () => h('p') } }] })] } })
  if (guard === undefined) throw new Error('the host was not set up')
  guard.begin()
  await nextTick()
  return { ...guard, isOpen, isBusy, form }
}

describe('what is typed into a drawer', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is what came after it was filled', async () => {
    const question = vi.spyOn(ask, 'isMeant')
    const { form, begin, close, isOpen } = await open()
    form.text = 'the parameters of the task'
    begin()
    await close()
    expect(isOpen.value).toBe(false)
    expect(question).not.toHaveBeenCalled()
  })

  it('is not asked about while it is being sent', async () => {
    const question = vi.spyOn(ask, 'isMeant')
    const { form, isBusy, close, isOpen } = await open()
    form.text = 'typed'
    isBusy.value = true
    await close()
    expect(isOpen.value).toBe(false)
    expect(question).not.toHaveBeenCalled()
  })

  it('keeps the tab from being closed unasked, until the drawer is closed', async () => {
    const { form, isOpen } = await open()
    const isWarned = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))
    expect(isWarned()).toBe(false)
    form.text = 'typed'
    expect(isWarned()).toBe(true)
    isOpen.value = false
    await nextTick()
    expect(isWarned()).toBe(false)
  })
})
