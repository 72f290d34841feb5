import { appNameOf, type Dispatch } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { dispatchOf } from '../conformance.fixture.ts'
import { readAddress } from './address.ts'
import { readCallbacks, readRegistry } from './callback.ts'
import { chunksOf, linesOf, readLogPage } from './log-page.ts'
import { isOwnReply, isUnknownCall, readReply } from './reply.ts'
import { readRunAnswer, runRequestOf } from './run-request.ts'

describe('the address that an executor registers', () => {
  it.each([
    ['http://10.0.0.5:9999/', 'http://10.0.0.5:9999', '10.0.0.5:9999', 'Java ends it with a slash'],
    ['10.0.0.5:9999', 'http://10.0.0.5:9999', '10.0.0.5:9999', 'a Node client gives no scheme'],
    ['http://h:1/job', 'http://h:1/job', 'h:1_job', 'Node clients register a path'],
    ['http://h:1//job//', 'http://h:1/job', 'h:1_job', 'slashes are collapsed'],
    ['https://h/', 'https://h', 'h', 'behind a proxy with TLS'],
    ['http://[fd00::5]:9999', 'http://[fd00::5]:9999', '[fd00::5]:9999', 'IPv6'],
  ])('%s is called at %s and is named %s: %s', (text, base, name) => {
    expect(readAddress(text)).toEqual({ base, name })
  })

  it.each([
    '',
    '   ',
    'file:///etc/passwd',
    'ftp://h:1',
    'http://',
    'http://user:pw@h:1',
    'http://h:1/?x=1',
    'a b',
    `http://${'h'.repeat(300)}`,
  ])('is refused when it is none: %j', (text) => {
    expect(readAddress(text)).toBeNull()
  })

  it.each([
    ['xxl-job-executor-sample', 'xxl-job-executor-sample'],
    ['My_App.Jobs', 'my-app-jobs'],
    ['9lives', 'lives'],
    ['订单', null],
  ])('an app name %s looks for the group with the appName %s', (given, appName) => {
    expect(appNameOf(given)).toBe(appName)
  })
})

describe('what executors call back', () => {
  it.each([
    ['2.3 to 3.4', [{ logId: 1001, logDateTim: 1795395079164, handleCode: 200, handleMsg: 'hello' }], 200, 'hello'],
    ['2.2', [{ logId: 1001, logDateTim: 1795395146104, executeResult: { code: 500, msg: 'boom' } }], 500, 'boom'],
    ['3.5', { callbackList: [{ logId: 1001, logDateTime: 1795396069311, handleCode: 502, handleMsg: 'slow' }] }, 502, 'slow'],
    [
      'both forms at once (Go, Python)',
      [{ logId: 1001, handleCode: 500, handleMsg: 'a', executeResult: { code: 200, msg: 'b' } }],
      500,
      'a',
    ],
    ['both forms, the newer one empty', [{ logId: 1001, handleCode: 0, executeResult: { code: 200, msg: null } }], 200, ''],
    ['no message', [{ logId: 1001, handleCode: 200 }], 200, ''],
    ['a message that is no text', [{ logId: 1001, handleCode: 200, handleMsg: { saved: 3 } }], 200, '{"saved":3}'],
    ['an id as text', [{ logId: '1001', handleCode: 200, handleMsg: null }], 200, ''],
  ])('is understood in the dialect of %s', (_dialect, body, code, message) => {
    expect(readCallbacks(body)).toEqual({ callbacks: [{ logId: 1001, code, message }], odd: 0 })
  })

  it('may be an empty list', () => {
    expect(readCallbacks([])).toEqual({ callbacks: [], odd: 0 })
  })

  it('is judged one by one: an odd element leaves the others alone', () => {
    const good = { logId: 1, handleCode: 200, handleMsg: 'ok' }
    const odd = [null, 7, {}, { logId: 'x', handleCode: 200 }, { logId: -1, handleCode: 200 }, { logId: 2 }, { logId: 2, handleCode: 0 }]
    expect(readCallbacks([...odd, good])).toEqual({ callbacks: [{ logId: 1, code: 200, message: 'ok' }], odd: odd.length })
  })

  it.each([null, 7, 'x', {}, { callbackList: 1 }])('is none at all when it is %j', (body) => {
    expect(readCallbacks(body)).toBeNull()
  })

  it('a registration needs an app name and an address', () => {
    expect(readRegistry({ registryGroup: 'EXECUTOR', registryKey: ' app ', registryValue: 'http://h:1/' })).toEqual({
      appName: 'app',
      address: 'http://h:1/',
    })
    for (const body of [
      null,
      [],
      {},
      { registryKey: 'app' },
      { registryKey: '', registryValue: 'h:1' },
      { registryKey: 1, registryValue: 'h:1' },
    ])
      expect(readRegistry(body)).toBeNull()
  })
})

describe('what executors answer', () => {
  it.each([
    ['2.x leaves nulls out', '{"code":200}', 200, '', null],
    ['3.2 says Success', '{"code":200,"msg":"Success"}', 200, 'Success', null],
    ['up to 3.2 the payload is content', '{"code":200,"content":{"a":1}}', 200, '', { a: 1 }],
    ['from 3.3 it is data', '{"code":200,"msg":"Success","data":{"a":1}}', 200, 'Success', { a: 1 }],
    ['Python gives both', '{"code":200,"content":{"a":1},"data":{"a":2}}', 200, '', { a: 1 }],
    ['litert refuses with other codes', '{"code":407,"msg":"discarded"}', 407, 'discarded', null],
    [
      'a text as payload stands for the message',
      '{"code":200,"content":"job thread already killed."}',
      200,
      'job thread already killed.',
      'job thread already killed.',
    ],
    ['Go sends a list on errors', '["no handler"]', 500, '["no handler"]', null],
    ['nothing', '', 500, 'an empty answer', null],
    ['a page of a proxy', '<html>Bad Gateway</html>', 500, '<html>Bad Gateway</html>', null],
  ])('%s', (_why, text, code, message, payload) => {
    expect(readReply(text)).toEqual({ code, message, payload })
  })

  it('tells its own answer from one of a proxy', () => {
    expect(isOwnReply('{"code":500}')).toBe(true)
    expect(isOwnReply('["x"]')).toBe(true)
    expect(isOwnReply('<html>')).toBe(false)
    expect(isOwnReply('{"error":"x"}')).toBe(false)
  })

  it('knows a call that the other dialect names differently', () => {
    expect(isUnknownCall(readReply('{"code":500,"msg":"invalid request, uri-mapping(/run) not found."}'))).toBe(true)
    expect(isUnknownCall(readReply('{"code":500,"msg":"job handler [x] not found."}'))).toBe(false)
  })

  it.each([
    ['{"code":200}', { kind: 'there' }],
    ['{"code":500,"msg":"repeate trigger job, logId:7"}', { kind: 'there' }],
    ['{"code":500,"msg":"job handler [x] not found."}', { kind: 'refused', code: 'unknownHandler' }],
    ['{"code":500,"msg":"No matched jobHandler: x"}', { kind: 'refused', code: 'unknownHandler' }],
    ['{"code":500,"msg":"glueType[x] is not valid."}', { kind: 'refused', code: 'handlerNotAllowed' }],
    ['{"code":500,"msg":"The access token is wrong."}', { kind: 'refused', code: 'handlerNotAllowed' }],
    ['{"code":500,"msg":"block strategy effect：Discard Later"}', { kind: 'refused', code: 'capacity' }],
    ['{"code":500,"msg":"There is already have a same job is running."}', { kind: 'refused', code: 'capacity' }],
  ])('to /run %s means %j', (text, answer) => {
    expect(readRunAnswer(readReply(text))).toMatchObject(answer)
  })
})

describe('what is asked to run', () => {
  const facts = { logId: 1001, logAt: 1795395079164, savedAt: 1586629003000, overlap: 'queue' } as const
  const one = { executorId: 1, bootId: 2 }
  const of = (handler: Dispatch['handler'], more: Partial<Dispatch> = {}): Dispatch =>
    dispatchOf(5, one, { handler, task: { id: 7, name: 't', groupId: 1, groupName: 'g' }, ...more })

  it('carries all 12 fields, none of them null', () => {
    expect(runRequestOf(of({ kind: 'named', name: 'demoJobHandler' }, { params: '{"n":1}' }), facts)).toEqual({
      jobId: 7,
      executorHandler: 'demoJobHandler',
      executorParams: '{"n":1}',
      executorBlockStrategy: 'SERIAL_EXECUTION',
      executorTimeout: 0,
      logId: 1001,
      logDateTime: 1795395079164,
      glueType: 'BEAN',
      glueSource: '',
      glueUpdatetime: 1586629003000,
      broadcastIndex: 0,
      broadcastTotal: 1,
    })
  })

  it('carries the shard, and lets no shard discard or cover another at the same executor', () => {
    const shard = { index: 2, total: 5, key: '' }
    expect(runRequestOf(of({ kind: 'named', name: 'h' }, { shard }), { ...facts, overlap: 'replace' })).toMatchObject({
      broadcastIndex: 2,
      broadcastTotal: 5,
      executorBlockStrategy: 'SERIAL_EXECUTION',
    })
  })

  it.each([
    [{ kind: 'shell', script: 'date' }, 'GLUE_SHELL', 'date'],
    [{ kind: 'script', language: 'bash', source: 'date' }, 'GLUE_SHELL', 'date'],
    [{ kind: 'script', language: 'python', source: 'print(1)' }, 'GLUE_PYTHON', 'print(1)'],
    [{ kind: 'script', language: 'node', source: 'x()' }, 'GLUE_NODEJS', 'x()'],
  ] as const)('%j is %s', (handler, glueType, glueSource) => {
    expect(runRequestOf(of(handler), facts)).toMatchObject({ glueType, glueSource, executorHandler: '' })
  })

  it('is nothing for a script with an environment: the protocol has no place for it', () => {
    expect(runRequestOf(of({ kind: 'shell', script: 'date', env: { PW: 'x' } }), facts)).toBeNull()
    expect(runRequestOf(of({ kind: 'shell', script: 'date', env: {} }), facts)).not.toBeNull()
  })

  it('is nothing for an HTTP handler', () => {
    expect(runRequestOf(of({ kind: 'http', url: 'http://h/' }), facts)).toBeNull()
  })

  it.each([
    ['queue', 'SERIAL_EXECUTION'],
    ['parallel', 'SERIAL_EXECUTION'],
    ['skip', 'DISCARD_LATER'],
    ['replace', 'COVER_EARLY'],
  ] as const)('overlap %s is told as %s', (overlap, executorBlockStrategy) => {
    expect(runRequestOf(of({ kind: 'named', name: 'x' }), { ...facts, overlap })).toMatchObject({ executorBlockStrategy })
  })

  it('tells time limits in whole seconds, never less than the task says', () => {
    expect(runRequestOf(of({ kind: 'named', name: 'x' }, { timeoutMs: 1500 }), facts)).toMatchObject({ executorTimeout: 2 })
  })
})

describe('pages of a log', () => {
  const page = (toLineNum: unknown, logContent: unknown, more = {}) => ({
    code: 200,
    message: '',
    payload: { fromLineNum: 5, toLineNum, logContent, ...more },
  })

  it('counts when it holds text and ends at or after the line that was asked for', () => {
    expect(readLogPage(page(6, 'a\nb\n', { isEnd: false }), 5)).toEqual({ toLine: 6, text: 'a\nb\n' })
    expect(readLogPage(page(5, 'a'), 5)).toEqual({ toLine: 5, text: 'a' })
  })

  it.each([
    ['3.3 says 0', page(0, '')],
    ['older ones say the last line', page(4, '')],
    ['litert says one before', page(4, null)],
    ['Python says the same line', page(5, '')],
    ['the file is not there', page(0, 'readLog fail, logFile not exists', { isEnd: true })],
    ['no numbers', page(undefined, 'x')],
    ['a failure', { code: 500, message: 'x', payload: null }],
  ])('is nothing new past the end: %s', (_why, reply) => {
    expect(readLogPage(reply, 5)).toBeNull()
  })

  it('has lines as they were printed, with <br> as a line break', () => {
    expect(linesOf('a\r\nb<br>c<BR/>d\n\n<b>e</b>\n')).toEqual(['a', 'b', 'c', 'd', '', '<b>e</b>'])
    expect(linesOf('last')).toEqual(['last'])
  })

  it('cuts a line that is too long and keeps chunks small', () => {
    expect(Buffer.byteLength(linesOf('界'.repeat(50_000))[0] ?? '')).toBeLessThanOrEqual(65_536)
    const chunks = [
      ...chunksOf(
        Array.from({ length: 2500 }, () => 'x'.repeat(500)),
        1,
      ),
    ]
    expect(chunks.flat()).toHaveLength(2500)
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1000)
    expect(Math.max(...chunks.map((chunk) => JSON.stringify(chunk).length))).toBeLessThan(300_000)
  })
})
