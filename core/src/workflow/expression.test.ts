import { describe, expect, it } from 'vitest'
import { compileExpression, evaluateCondition, evaluateExpression, type ExpressionScope, type StepView } from './expression.ts'
import type { Json, JsonObject } from './graph.ts'

const steps: Readonly<Record<string, StepView>> = {
  extract: {
    state: 'succeeded',
    output: {
      rows: 3,
      file: '/tmp/a',
      list: [
        { id: 1, ok: true },
        { id: 2, ok: false },
      ],
    },
    error: null,
  },
  load: { state: 'failed', output: null, error: { code: 'EXIT', message: 'exit code 1' } },
  gone: { state: 'skipped', output: null, error: null },
}

function scope(params: JsonObject = {}, item?: ExpressionScope['item']): ExpressionScope {
  return {
    params: { n: 5, day: '', names: ['a', 'b'], numbers: [1, 2, 3], nothing: null, yes: true, ...params },
    vars: { bucket: 's3://x' },
    run: { id: 7, scheduledAt: '2026-05-04T02:00:00.000Z', date: '2026-05-04', cause: 'schedule' },
    stepOf: (key) => steps[key] ?? { state: 'pending', output: null, error: null },
    ...(item === undefined ? {} : { item }),
  }
}

function valueOf(text: string, params?: JsonObject, item?: ExpressionScope['item']): Json {
  const found = evaluateExpression(text, scope(params, item))
  if (found.kind !== 'value') throw new Error(JSON.stringify(found))
  return found.value
}

describe('an expression', () => {
  it.each<[text: string, value: Json, why: string]>([
    ['params.n + 1', 6, 'a number of JSON and an int add up'],
    ['1 + params.n', 6, 'from the other side too'],
    ['params.n / 2', 2.5, 'numbers of JSON are doubles'],
    ['7 / 2', 3, 'ints divide as ints'],
    ['params.n % 2 == 1', true, 'the rest of doubles is there'],
    ['7.5 % 2', 1.5, 'and of a double by an int'],
    ['10 - params.n * 2', 0, 'mixed'],
    ['1 == 1.0', true, 'an int equals a double'],
    ['1.0 == 1', true, 'and the other way round'],
    ['params.n == 5 && params.n != 6 && params.n > 4 && params.n <= 5.5', true, 'comparisons'],
    ['2 in params.numbers', true, 'a literal is found among numbers of JSON'],
    ['size(params.numbers) + params.n', 8, 'what functions give adds up'],
    ['params.numbers[1]', 2, 'a list by a literal'],
    ['params.numbers[params.n - 4]', 2, 'and by a number of JSON'],
    ['params.numbers.map(x, x * 2)', [2, 4, 6], 'map'],
    ['params.numbers.filter(x, x > 1).map(x, x + 1)', [3, 4], 'loops may follow each other'],
    ['steps.extract.output.list.exists(row, !row.ok)', true, 'exists'],
    ['params.day == "" ? run.date : params.day', '2026-05-04', "the example's"],
    ["params.day == '' ? run.date : params.day", '2026-05-04', 'single quotes'],
    ['steps.extract.output.file', '/tmp/a', 'an output'],
    ['steps["extract"].output["file"]', '/tmp/a', 'names in brackets'],
    ['steps.load.error.message', 'exit code 1', 'an error'],
    ['steps.load.state', 'failed', 'a state'],
    ['steps.gone.output', null, "a skipped step's output is null"],
    ['has(steps.extract.output.rows)', true, 'has'],
    ['has(steps.extract.output.nope)', false, 'has not'],
    ['has(steps.gone.output.rows)', false, 'of a skipped step'],
    ['vars.bucket + "/" + run.date', 's3://x/2026-05-04', 'variables and texts'],
    ['{"a": 1, "b": [params.n, null], "c": "x"}', { a: 1, b: [5, null], c: 'x' }, 'values of different kinds'],
    ['timestamp(run.scheduledAt) + duration("90m")', '2026-05-04T03:30:00.000Z', 'an instant is RFC 3339'],
    ['1u', 1, 'an unsigned number'],
    ['params.nothing == null', true, 'null'],
    ['string(params.n) + "x"', '5x', 'a number as a text'],
    ['cel.bind(x, params.n, x + x)', 10, 'a name for a value'],
    ['params.names.map(item, item)', ['a', 'b'], 'item is free outside of each'],
  ])('%s gives %j: %s', (text, value) => {
    expect(valueOf(text)).toEqual(value)
  })

  it('knows the item and its index in each, and nowhere else', () => {
    const item = { value: { id: 9 }, index: 3 }
    expect(valueOf('item.id + index', {}, item)).toBe(12)
    expect(valueOf('params.numbers[index - 1]', {}, item)).toBe(3)
    expect(compileExpression('item.id', 'step')).toMatchObject({ problem: { code: 'WORKFLOW_BAD_REFERENCE', position: 1 } })
    expect(compileExpression('index', 'item').kind).toBe('expression')
  })

  it.each<[text: string, code: string, position: number, why: string]>([
    ['1 + + 2', 'EXPRESSION_INVALID', 5, 'no expression'],
    ['', 'EXPRESSION_INVALID', 1, 'nothing'],
    ['"a" - 1', 'EXPRESSION_INVALID', 1, 'types that do not fit are seen when it is saved'],
    ['foo.bar', 'WORKFLOW_BAD_REFERENCE', 1, 'an unknown name'],
    ['1 + foo', 'WORKFLOW_BAD_REFERENCE', 5, 'where it stands'],
    ['steps', 'WORKFLOW_BAD_REFERENCE', 1, 'all steps at once'],
    ['steps[params.day].output', 'WORKFLOW_BAD_REFERENCE', 1, 'a step that is only known when it runs'],
    ['size(steps)', 'WORKFLOW_BAD_REFERENCE', 6, 'all steps as an argument'],
    ['steps.a.result', 'WORKFLOW_BAD_REFERENCE', 1, 'a field that steps do not have'],
    ['run.name', 'WORKFLOW_BAD_REFERENCE', 1, 'a field that runs do not have'],
    ['params.day.matches("(a+)+b")', 'EXPRESSION_INVALID', 1, "the host's regular expressions"],
    ['"aaaa".matches("(a+)+b")', 'EXPRESSION_INVALID', 1, 'of a literal too'],
    ['[[1], [2]].map(a, a.map(b, b))', 'EXPRESSION_INVALID', 19, 'a loop within a loop'],
    ['[1].exists(a, [2].all(b, b > a))', 'EXPRESSION_INVALID', 15, 'of other kinds'],
    ['cel.bind(a, params.numbers, a.map(b, b))', 'EXPRESSION_INVALID', 29, 'a loop within a binding'],
    ['cel.bind(a, cel.bind(b, params.numbers, b + b), a + a)', 'EXPRESSION_INVALID', 13, 'bindings that double'],
    ['params.names.map(steps, steps)', 'EXPRESSION_INVALID', 18, 'a name that has a meaning'],
    ['timestamp(run.scheduledAt).getHours("Asia/Shanghai")', 'EXPRESSION_INVALID', 1, "what depends on the host's zone"],
    ['timestamp(run.scheduledAt).getDayOfYear()', 'EXPRESSION_INVALID', 1, "what depends on the host's zone"],
    [`${'1 + '.repeat(120)}1`, 'EXPRESSION_INVALID', 1, 'more than 200 nodes'],
    [`${'('.repeat(20)}1${')'.repeat(20)}`, 'EXPRESSION_INVALID', 1, 'deeper than 16'],
    [`"${'x'.repeat(2000)}"`, 'EXPRESSION_INVALID', 2001, 'longer than 2,000 characters'],
  ])('%s is refused with %s at %d: %s', (text, code, position) => {
    const found = compileExpression(text)
    if (found.kind !== 'invalid') throw new Error('it was taken')
    expect(found.problem.code).toBe(code)
    if (position > 1) expect(found.problem.position).toBe(position)
    expect(found.problem.message).not.toBe('')
  })

  it.each<[text: string, message: RegExp]>([
    ['steps.extract.output.nope', /No such key: nope \(at 22 of: steps\.extract\.output\.nope\)/],
    ['steps.gone.output.rows > 0', /No such key: rows \(at 19/],
    ['params.day + params.n', /no such overload/],
    ['1 / 0', /division by zero/],
    ['1.0 / 0.0', /a number without end/],
    ['9223372036854775807', /above 2\^53/],
    ['duration("1h")', /a duration/],
    ['b"abc"', /which is no JSON/],
    ['type(1)', /which is no JSON/],
    ['foo', /Unknown variable: foo/],
    ['params.numbers[7]', /index out of bounds, index 7/],
  ])('%s fails when it runs, with its text and the place', (text, message) => {
    const found = evaluateExpression(text, scope())
    if (found.kind !== 'failed') throw new Error(JSON.stringify(found))
    expect(found.error.code).toBe('EXPRESSION_FAILED')
    expect(found.error.message).toMatch(message)
  })

  it('fails alone where data has names that break the library', () => {
    const odd: JsonObject = JSON.parse('{"o": {"constructor": 1, "__proto__": {"a": 1}}}') as JsonObject
    expect(evaluateExpression('params.o.constructor', scope(odd))).toMatchObject({ kind: 'failed', error: { code: 'EXPRESSION_FAILED' } })
    expect(evaluateExpression('params.toString', scope())).toMatchObject({ kind: 'failed' })
    expect(evaluateExpression('params.__proto__', scope())).toMatchObject({ kind: 'failed' })
  })

  it('says which steps it speaks of, with what is asked of them', () => {
    const found = compileExpression('steps.a.state == "failed" || steps.b.output.rows > 0 || has(steps.c.error.code) || steps["d"] == null')
    if (found.kind === 'invalid') throw new Error(found.problem.message)
    expect(found.steps.map(({ key, field }) => [key, field])).toEqual([
      ['a', 'state'],
      ['b', 'output'],
      ['c', 'error'],
      ['d', null],
    ])
  })

  it('asks for outputs that are not at hand, all at once, and not for a state alone', () => {
    const asked: [string, boolean][] = []
    const text = 'steps.a.state == "failed" || steps.b.output.rows > 0 || steps.c.error == null'
    const found = evaluateExpression(text, {
      ...scope(),
      stepOf: (key, withResult) => {
        asked.push([key, withResult])
        return withResult ? null : { state: 'failed', output: null, error: null }
      },
    })
    expect(found).toEqual({ kind: 'need', steps: ['b', 'c'] })
    expect(asked).toEqual([
      ['a', false],
      ['b', true],
      ['c', true],
    ])
  })

  it('is a condition only if it gives true or false', () => {
    expect(evaluateCondition('params.yes', scope())).toEqual({ kind: 'value', value: true })
    expect(evaluateCondition('params.n', scope())).toMatchObject({ kind: 'failed', error: { message: /gave a number/ } })
    expect(evaluateCondition('params.nothing', scope())).toMatchObject({ kind: 'failed', error: { message: /gave null/ } })
  })
})

describe('the bounds of an expression', () => {
  const long = 'x'.repeat(60_000)
  const many = Array.from({ length: 30_000 }, () => 1)

  it.each<[text: string, why: string]>([
    ['params.many.map(i, params.long)', 'one long text many thousand times'],
    ['params.long + params.long', 'more than 64 KiB'],
    ['params.many.map(i, {"a": i})', 'more than 64 KiB in small parts'],
  ])('%s is too large: %s', (text) => {
    expect(evaluateExpression(text, scope({ long, many: many.slice(0, 300).concat(text.includes('{') ? many : []) }))).toMatchObject({
      kind: 'failed',
      error: { code: 'RESULT_TOO_LARGE' },
    })
  })

  it.each([
    'size(params.many.map(i, params.many + params.many)) > 0',
    'size(params.long.split("").map(c, params.long + c)) > 0',
    'params.many.map(i, params.many).map(list, list + list).size() > 0',
    'params.many.map(i, params.many)[0].map(j, params.long).join().size() > 0',
    'params.many.exists(i, params.long.contains("zz"))',
  ])('%s is stopped before it takes gigabytes', (text) => {
    expect(evaluateExpression(text, scope({ long, many }))).toMatchObject({ kind: 'failed', error: { message: /too much data in a loop/ } })
  })

  it('let what is usual through: a list of 64 KiB filtered, and looked up in another', () => {
    const rows = Array.from({ length: 1000 }, (_, id) => ({ id: `row-${id}`, isOpen: id % 2 === 0, day: '2026-05-04' }))
    const ids = rows.map(({ id }) => id)
    expect(valueOf('size(params.rows.filter(row, row.isOpen && row.day == run.date && row.id in params.ids))', { rows, ids })).toBe(500)
  })

  it('cut a long text in an error', () => {
    const found = evaluateExpression(`params.nope + "${'x'.repeat(1000)}"`, scope())
    expect(found.kind === 'failed' && found.error.message.length).toBeLessThan(300)
  })
})
