import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive, ref } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiProblem } from '../api/problem.ts'
import { t } from '../locales/text.ts'
import * as ask from './ask.ts'
import { useFormDrawer, type FormDrawer } from './use-form-drawer.ts'

interface Thing {
  readonly name: string
  readonly version: number
}

const refusedWith = (code: string, errors: { path: string; code: string; message: string }[] = []) => new ApiProblem({ status: 409, code, detail: code, errors })

async function open(more: Partial<FormDrawer<Thing, Thing>> = {}) {
  const isOpen = ref(true)
  const form = reactive({ name: '', choices: new Set<string>() })
  const options: FormDrawer<Thing, Thing> = {
    isOpen,
    draft: () => form,
    fill: (thing) => Object.assign(form, { name: thing?.name ?? '', choices: new Set(['a', 'b']) }),
    check: (): Record<string, string> => (form.name === '' ? { name: 'missing' } : {}),
    send: () => Promise.resolve({ name: form.name, version: 2 }),
    done: vi.fn(),
    newest: () => Promise.resolve({ name: 'theirs', version: 7 }),
    stale: 'groups.stale',
    ...more,
  }
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:page*', component: { render: () => h('p') } }] })
  await router.push('/here')
  let drawer: ReturnType<typeof useFormDrawer<Thing, Thing>> | undefined
  const Host = defineComponent({
    setup() {
      drawer = useFormDrawer(options)
      return () => h('p')
    },
  })
  mount(Host, { global: { plugins: [router] } })
  if (drawer === undefined) throw new Error('the host was not set up')
  drawer.show({ name: 'mine', version: 1 })
  await nextTick()
  return { ...drawer, isOpen, form, router, options }
}

describe('a form in a drawer', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is closed without a word while nothing was changed, and changed back counts as nothing', async () => {
    const question = vi.spyOn(ask, 'isMeant')
    const { close, isOpen, form } = await open()
    form.choices = new Set(['b'])
    form.choices = new Set(['b', 'a'])
    await close()
    expect(isOpen.value).toBe(false)
    expect(question).not.toHaveBeenCalled()
  })

  it.each([
    { isMeant: false, then: 'stays open' },
    { isMeant: true, then: 'is closed' },
  ])('with changes asks first, and $then', async ({ isMeant }) => {
    const question = vi.spyOn(ask, 'isMeant').mockResolvedValue(isMeant)
    const { close, isOpen, form } = await open()
    form.name = 'changed'
    await close()
    expect(question).toHaveBeenCalledOnce()
    expect(isOpen.value).toBe(!isMeant)
  })

  it('with changes asks before another page is gone to, and not when its own address changes', async () => {
    const question = vi.spyOn(ask, 'isMeant').mockResolvedValue(false)
    const { form, router } = await open()
    form.name = 'changed'
    await router.push('/here?new=1')
    expect(question).not.toHaveBeenCalled()
    await router.push('/there')
    expect(question).toHaveBeenCalledOnce()
    expect(router.currentRoute.value.path).toBe('/here')
  })

  it('says what is wrong before it sends', async () => {
    const send = vi.fn()
    const { save, wrong, form } = await open({ send })
    form.name = ''
    await save()
    expect(wrong.value).toEqual({ name: 'missing' })
    expect(send).not.toHaveBeenCalled()
  })

  it('is closed when it was saved, and hands on what was', async () => {
    const { save, isOpen, form, options } = await open()
    form.name = 'changed'
    await save()
    expect(isOpen.value).toBe(false)
    expect(options.done).toHaveBeenCalledExactlyOnceWith({ name: 'changed', version: 2 }, { name: 'mine', version: 1 })
  })

  it('shows a refusal at its field; of a field that it does not show, above all', async () => {
    const errors = [{ path: 'bindings.0', code: 'ODD', message: 'this role is gone' }]
    const { save, wrong, refusal, isOpen } = await open({ fields: ['name'], send: () => Promise.reject(refusedWith('INVALID', errors)) })
    await save()
    expect(wrong.value).toEqual({ 'bindings.0': 'this role is gone' })
    expect(refusal.value).toBe('this role is gone')
    expect(isOpen.value).toBe(true)
  })

  it('shows what somebody else has saved meanwhile, and that is no change of its own', async () => {
    const question = vi.spyOn(ask, 'isMeant')
    const { save, close, refusal, form, edited, isOpen } = await open({ send: () => Promise.reject(refusedWith('STALE_VERSION')) })
    form.name = 'changed'
    await save()
    await flushPromises()
    expect(form.name).toBe('theirs')
    expect(edited.value?.version).toBe(7)
    expect(refusal.value).toBe(t('groups.stale'))
    await close()
    expect(isOpen.value).toBe(false)
    expect(question).not.toHaveBeenCalled()
  })
})
