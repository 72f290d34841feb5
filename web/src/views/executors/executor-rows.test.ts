import type { Executor } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { executorCommand, httpCommand, httpProgram, isLoopback } from './executor-command.ts'
import { mergeExecutors, newcomer, shownAddresses, startsOf } from './executor-rows.ts'

const at = '2026-11-22T08:00:00.000Z'
const executor = (id: number, over: Partial<Executor> = {}): Executor => ({
  id, groupId: 1, groupName: 'default', name: `e${id}`, state: 'online', transport: 'stream', address: null, version: '0.1.0', host: 'h', pid: 1, capacity: 16, inFlight: 0, running: [], load: null, labels: {}, handlers: [], registeredAt: at, seenAt: at, ...over,
})

describe('the list of executors', () => {
  it('takes changes, newcomers and departures, those that take work first', () => {
    const rows = mergeExecutors([executor(1), executor(2)], { executors: [executor(1, { state: 'offline' }), executor(3)], removed: [2] })
    expect(rows.map((row) => `${row.name} ${row.state}`)).toEqual(['e3 online', 'e1 offline'])
  })

  it('notices the executor that a command has brought', () => {
    const known = startsOf([executor(1), executor(4, { state: 'offline' })])
    expect(newcomer([executor(1)], 1, known)).toBeNull()
    expect(newcomer([executor(1), executor(2, { groupId: 2 })], 1, known)).toBeNull()
    expect(newcomer([executor(1), executor(4, { state: 'offline' })], 1, known)).toBeNull()
    expect(newcomer([executor(1), executor(5)], 1, known)?.id).toBe(5)
    expect(newcomer([executor(1), executor(4)], 1, known)?.id).toBe(4)
    expect(newcomer([executor(1, { registeredAt: '2026-11-22T09:00:00.000Z' })], 1, known)?.id).toBe(1)
  })
})

it.each([
  [['http://10.0.0.5:9999'], '10.0.0.5:9999'],
  [['http://a:1/job', 'https://b:2', 'http://c:3', 'http://d:4'], 'a:1/job, b:2, c:3, …'],
  [[], ''],
])('the addresses %j are shown as %s', (addresses, shown) => expect(shownAddresses(addresses)).toBe(shown))

describe('the command for a new executor', () => {
  it('can be pasted as it is', () =>
    expect(executorCommand({ server: 'http://localhost:8080', appName: 'billing', token: 'twe_1_x' })).toBe('npx tickwheel executor --server http://localhost:8080 --app billing --token twe_1_x'))

  it('can be pasted for an executor with an HTTP endpoint, too', () => {
    const input = { server: 'http://localhost:8080', appName: 'billing', token: 'twe_1_x' }
    expect(httpCommand(input)).toMatch(/^TICKWHEEL_SERVER=http:\/\/localhost:8080 EXECUTOR_APP=billing EXECUTOR_TOKEN=twe_1_x \S+ \S+ python3 examples\/http-python\/executor\.py$/)
    const body: unknown = JSON.parse(/-d '(.+)'$/s.exec(httpProgram(input))?.[1] ?? '')
    expect(body).toMatchObject({ appName: 'billing', capacity: 4, address: 'http://127.0.0.1:9100' })
  })

  it.each([
    ['http://localhost:8080', true],
    ['http://127.0.0.1:8080', true],
    ['http://[::1]:8080', true],
    ['https://tickwheel.example.com', false],
    ['not an address', false],
  ])('knows that %s is only this machine: %s', (address, only) => expect(isLoopback(address)).toBe(only))
})
