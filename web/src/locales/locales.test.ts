import { baseCompile } from '@intlify/message-compiler'
import { CAUSES, ERROR_STATUS, EXECUTOR_STATES, FIELD_CODES, LOG_LEVELS, LOG_STREAMS, REJECT_CODES, STEP_ERRORS, WORKFLOW_RUN_STATES } from '@tickwheel/contract'
import { reasons, SCHEDULE_PROBLEM_CODES, STEP_KINDS, STEP_STATES } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { CLIENT_CODES } from '../api/problem.ts'
import { RUN_STATES } from '../components/run-state.ts'
import { en } from './en.ts'
import { zh } from './zh.ts'

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
    for (const [key, text] of chinese) expect(/[a-z]+ [a-z]+ [a-z]+ [a-z]+/i.test(text.replaceAll(/\{\w+\}/g, '')), `${key}: ${text}`).toBe(false)
  })

  it('in Chinese stand apart from Latin letters and digits by a space', () => {
    for (const [key, text] of chinese) expect(/[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]/.test(text.replaceAll('示例-每5秒', '')), `${key}: ${text}`).toBe(false)
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
