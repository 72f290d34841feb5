import { mount } from '@vue/test-utils'
import { ElForm } from 'element-plus'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { defineComponent, reactive } from 'vue'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import CronBuilder from './cron-builder.vue'
import CronDays from './cron-days.vue'
import CronTime from './cron-time.vue'
import { emptyForm } from './task-form.ts'

function open(expression: string, dialect: 'auto' | 'unix' = 'auto') {
  const schedule = reactive({ ...emptyForm(1).schedule, expression, dialect })
  const InForm = defineComponent({ components: { CronBuilder }, setup: () => ({ schedule }), template: '<el-form><CronBuilder v-model="schedule" :errors="{}" /></el-form>' })
  const builder = mount(InForm, { global: { plugins: [i18n], components: { ElForm } } })
  return { schedule, builder, pressed: () => builder.findAll('.days [aria-pressed="true"]').map((button) => button.text()) }
}

describe('the cron builder', () => {
  beforeAll(() => loadLocale('en'))

  it('follows what is typed', async () => {
    const { builder, pressed } = open('0 0 2 * * ?')
    await builder.find('.mono-input input').setValue('15 30 7 ? 1-3 2-4')
    expect(pressed()).toEqual(['Mon', 'Tue', 'Wed'])
    expect(builder.findComponent(CronTime).props('modelValue')).toEqual({ kind: 'at', hour: 7, minute: 30, second: 15 })
    expect(builder.findComponent(CronDays).props('modelValue')).toMatchObject({ months: [1, 2, 3] })
  })

  it('writes the expression while its controls are used, of a crontab line too', async () => {
    const { builder, schedule } = open('30 9 * * 1-5', 'unix')
    const sunday = builder.findAll('.days button').find((button) => button.text() === 'Sun')
    await sunday?.trigger('click')
    expect(schedule).toMatchObject({ expression: '0 30 9 ? * SUN,MON,TUE,WED,THU,FRI', dialect: 'auto' })
  })

  it('keeps the expression while no day is chosen, and says that one is missing', async () => {
    const { builder, schedule, pressed } = open('0 0 9 ? * MON')
    await builder.find('.days [aria-pressed="true"]').trigger('click')
    expect(pressed()).toEqual([])
    expect(schedule.expression).toBe('0 0 9 ? * MON')
    await vi.waitFor(() => expect(builder.text()).toContain('Choose at least one day.'))
  })

  it('says which part it cannot show, and leaves it alone while the others change', () => {
    const { builder, schedule } = open('0 0 9 L-3 * ? 2030')
    expect(builder.findAll('.left-alone').map((note) => note.text())).toEqual([expect.stringContaining('“L-3”'), expect.stringContaining('2030')])
    builder.findComponent(CronTime).vm.$emit('update:modelValue', { kind: 'everyMinutes', every: 10, from: 8, to: 9 })
    expect(schedule.expression).toBe('0 */10 8-9 L-3 * ? 2030')
  })

  it.each([['30 9 15 * 1', 'either of two day fields'], ['every morning', '']])('has no controls for %j, but the text box and a way back', async (expression, words) => {
    const { builder, schedule } = open(expression)
    expect(builder.findComponent(CronTime).exists()).toBe(false)
    expect(builder.text()).toContain(words)
    await builder.find('.notes button').trigger('click')
    expect(schedule.expression).toBe('0 0 2 * * ?')
  })
})
