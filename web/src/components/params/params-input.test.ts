import { mount } from '@vue/test-utils'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import type { JsonSchema } from './param-fields.ts'
import ParamsInput from './params-input.vue'

const schema: JsonSchema = {
  type: 'object', required: ['currency', 'batch'],
  properties: { currency: { enum: ['CNY', 'EUR'], title: 'Currency' }, batch: { type: 'integer', minimum: 1 }, prefix: { type: 'string', default: 'INV', description: 'Of each number.' }, only: { type: 'array' } },
}

function open(given: string, of: JsonSchema | null = schema) {
  const text = ref(given)
  const Host = defineComponent(() => () => h(ParamsInput, { modelValue: text.value, schema: of, 'onUpdate:modelValue': (value: string) => (text.value = value) }, { default: () => h('textarea', { class: 'raw', value: text.value, onInput: (event: Event) => (text.value = (event.target as HTMLTextAreaElement).value) }) }))
  const page = mount(Host, { global: { plugins: [i18n] }, attachTo: document.body })
  const field = (name: string) => page.find(`[data-param="${name}"]`)
  return { page, text, field }
}

describe('parameters with a schema', () => {
  beforeAll(() => loadLocale('en'))

  it('have a form whose fields write the JSON, and keep what is not in it', async () => {
    const { field, text, page } = open('{"batch":2,"extra":true}')
    expect(field('batch').find('input').element.value).toBe('2')
    expect(field('prefix').find('input').attributes('placeholder')).toBe('default: INV')
    expect(field('prefix').text()).toContain('Of each number.')
    await field('prefix').find('input').setValue('R')
    expect(JSON.parse(text.value)).toEqual({ batch: 2, extra: true, prefix: 'R' })
    await field('prefix').find('input').setValue('')
    expect(JSON.parse(text.value)).toEqual({ batch: 2, extra: true })
    await field('only').find('textarea').setValue('[1, 2]')
    expect(JSON.parse(text.value)).toMatchObject({ only: [1, 2] })
    expect(page.text()).toContain('not part of the form: extra')
  })

  it('show at each field what is wrong with it', async () => {
    const { field } = open('{"batch":0}')
    await vi.waitFor(() => expect(field('currency').text()).toContain('Required.'), { timeout: 15_000 })
    expect(field('batch').text()).toContain('At least 1.')
    expect(field('prefix').find('.el-form-item__error').exists()).toBe(false)
  })

  it('keep what is typed into a field of JSON while it is not valid, and say so', async () => {
    const { field, text } = open('{"currency":"EUR","batch":1,"only":[1]}')
    await field('only').find('textarea').setValue('[1, ')
    expect(field('only').find('textarea').element.value).toBe('[1, ')
    await vi.waitFor(() => expect(field('only').text()).toContain('not valid JSON'), { timeout: 15_000 })
    expect(JSON.parse(text.value)).toMatchObject({ only: [1] })
  })

  it('can be written as JSON instead, which the form shows afterwards', async () => {
    const { page, field } = open('{"batch":1}')
    await page.find('input[type="radio"][value="json"]').setValue()
    await page.find('.raw').setValue('{"batch":7,"currency":"CNY"}')
    expect(page.find('.problem').exists()).toBe(false)
    await page.find('.raw').setValue('{"batch":7}')
    expect(page.find('.problem').text()).toContain('currency Required.')
    await page.find('input[type="radio"][value="form"]').setValue()
    expect(field('batch').find('input').element.value).toBe('7')
  })

  it.each([['text that is no object', 'from=7', schema], ['no schema', '{"a":1}', null]])('are JSON only with %s', (_why, text, of) => {
    const { page } = open(text, of)
    expect(page.find('.raw').exists()).toBe(true)
    expect(page.find('.fields').exists()).toBe(false)
  })
})
