import { join } from 'node:path'
import { baseCompile } from '@intlify/message-compiler'
import { CAUSES, ERROR_STATUS, EXECUTOR_STATES, FIELD_CODES, LOG_LEVELS, LOG_STREAMS, REJECT_CODES, STEP_ERRORS, WORKFLOW_RUN_STATES } from '@tickwheel/contract'
import { reasons, SCHEDULE_PROBLEM_CODES, STEP_KINDS, STEP_STATES } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { CLIENT_CODES } from '../api/problem.ts'
import { RUN_STATES } from '../components/run-state.ts'
import { en } from './en.ts'
import { readUses } from '../../dev/text-uses.ts'
import { zh } from './zh.ts'

const HAN = /[\u4e00-\u9fff]/
/** The same in both languages. */
const NOT_TRANSLATED: ReadonlySet<string> = new Set(['shell.languages.en', 'shell.languages.zh', 'palette.language.en', 'palette.language.zh'])
/** Name words that are typed in Chinese. */
const WITH_CHINESE: ReadonlySet<string> = new Set(['calendars.import.hint'])
/** Values that are Chinese words themselves (3 分钟), and so need no space. */
const CHINESE_VALUES = /\{(?:span|p50|p99|then|now|level|ago|grace|delayMs|inGroup|where|kind)\}/g
/** Left over from pages that are changed by others just now: each goes with the next change of its page. Nothing is added here. */
const IDLE: ReadonlySet<string> = new Set([
  'dashboard.completeness.byGroup', 'task.why.zone', 'runs.columns.started', 'runs.filters.states', 'runs.filters.range', 'runs.bulk.cancel', 'runs.late', 'runs.detail.more', 'runs.detail.fired', 'runs.detail.ended', 'runs.trace.since', 'runs.attempts.outcome', 'runs.empty.waiting',
])

type Node = { readonly [key: string]: string | Node }

function flatten(node: Node, path = ''): [string, string][] {
  return Object.entries(node).flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`
    return typeof value === 'string' ? [[here, value] as [string, string]] : flatten(value, here)
  })
}

function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort()
}

const english = new Map(flatten(en))
const chinese = new Map(flatten(zh))

describe('the texts of both languages', () => {
  it('have the same keys', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it.each([['English', english], ['Chinese', chinese]])('in %s are never empty and always compile', (_language, texts) => {
    for (const [key, text] of texts) {
      const errors: unknown[] = []
      baseCompile(text, { onError: (error) => errors.push(error) })
      expect(errors, `${key}: ${text}`).toEqual([])
      expect(text.trim(), key).not.toBe('')
    }
  })

  it('use the same values, except that one language may leave out the count', () => {
    for (const [key, text] of english) {
      const [theirs, ours] = [namesIn(text), namesIn(chinese.get(key) ?? '')]
      expect(ours.filter((name) => !theirs.includes(name)), key).toEqual([])
      expect(theirs.filter((name) => !ours.includes(name) && name !== 'n'), key).toEqual([])
    }
  })

  it('in Chinese have no English sentences left in them', () => {
    for (const [key, text] of chinese) {
      if (NOT_TRANSLATED.has(key)) continue
      const plain = text.replaceAll(/\{[^}]*\}/g, '')
      expect(/[a-z]{2,} [a-z]{2,} [a-z]{2,}/i.test(plain), `${key}: ${text}`).toBe(false)
      expect(HAN.test(text) || !/[a-z]{2,} [a-z]{2,}/i.test(plain), `${key} is in English: ${text}`).toBe(true)
    }
  })

  it('in English have no Chinese left in them', () => {
    for (const [key, text] of english) if (!NOT_TRANSLATED.has(key) && !WITH_CHINESE.has(key)) expect(HAN.test(text), `${key}: ${text}`).toBe(false)
  })

  it('in Chinese stand apart from Latin letters, digits and values by a space', () => {
    const apart = /[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]/
    for (const [key, text] of chinese) expect(apart.test(text.replaceAll('示例-每5秒', '')), `${key}: ${text}`).toBe(false)
    for (const [key, text] of chinese) expect(/[\u4e00-\u9fff]\{\w+\}|\{\w+\}[\u4e00-\u9fff]/.test(text.replaceAll(CHINESE_VALUES, '')), `${key}: ${text}`).toBe(false)
  })

  it('in Chinese have the punctuation of Chinese', () => {
    for (const [key, text] of chinese) {
      expect(/[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?:$| )|[\u4e00-\u9fff] ?\((?![a-z])/i.test(text), `${key}: ${text}`).toBe(false)
      expect(/[，。；：？！（）“”、] | [，。；：？！）”、]/.test(text), `${key} has a space beside its punctuation: ${text}`).toBe(false)
    }
  })
})

describe('the code of the console', () => {
  const uses = readUses(join(import.meta.dirname, '..'))

  it('names no text that there is not', () => {
    expect(uses.asked.size).toBeGreaterThan(500)
    const wrong = [...uses.asked].filter(([key]) => !english.has(key))
    expect(wrong.map(([key, file]) => `${key} in ${file}`)).toEqual([])
    const empty = uses.patterns.filter(({ source, pattern }) => Object.hasOwn(en, source.split('.')[0] ?? '') && ![...english.keys()].some((key) => pattern.test(key)))
    expect(empty.map(({ source, file }) => `${source} in ${file}`)).toEqual([])
  })

  it('uses every text', () => {
    const idle = [...english.keys()].filter((key) => !uses.whole.has(key) && !uses.patterns.some(({ pattern }) => pattern.test(key)) && !IDLE.has(key))
    expect(idle).toEqual([])
  })
})

describe('every code that comes over the wire has a text', () => {
  it.each([
    ['errors', [...Object.keys(ERROR_STATUS), ...CLIENT_CODES]],
    ['fields', FIELD_CODES],
    ['schedule.problems', SCHEDULE_PROBLEM_CODES],
    ['reasons', reasons()],
    ['states', [...RUN_STATES, ...STEP_STATES, ...WORKFLOW_RUN_STATES]],
    ['workflows.editor.kinds', STEP_KINDS],
    ['workflowRuns.errors', STEP_ERRORS],
    ['causes', CAUSES],
    ['runs.rejects', REJECT_CODES],
    ['executors.states', EXECUTOR_STATES],
    ['log.levels', LOG_LEVELS],
    ['log.streams', LOG_STREAMS],
  ])('%s', (place, codes) => {
    for (const code of codes) {
      expect(english.has(`${place}.${code}`), `${place}.${code} in English`).toBe(true)
      expect(chinese.has(`${place}.${code}`), `${place}.${code} in Chinese`).toBe(true)
    }
  })
})
