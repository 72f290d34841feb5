import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { waitFor } from './wait-for.ts'
import { Wire } from './wire.ts'

/** A wire to a server that sends back what it gets. */
async function echoThroughWire(): Promise<{ wire: Wire; heard: () => string; near: Socket }> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const wire = await Wire.to(address.port)
  const near = connect(wire.port, '127.0.0.1')
  let heard = ''
  near.on('data', (data) => {
    heard += data.toString()
  })
  onTestFinished(async () => {
    near.destroy()
    await wire[Symbol.asyncDispose]()
    server.close()
  })
  return { wire, heard: () => heard, near }
}

it('a wire that is cut passes nothing, tells nobody, and passes all when it is mended', async () => {
  const { wire, heard, near } = await echoThroughWire()
  near.write('one ')
  await waitFor(() => heard() === 'one ')
  wire.cut()
  near.write('two ')
  const late = connect(wire.port, '127.0.0.1')
  await once(late, 'connect')
  late.write('three ')
  const fromLate = once(late, 'data')
  expect([heard(), near.destroyed, late.destroyed]).toEqual(['one ', false, false])
  wire.mend()
  await waitFor(() => heard() === 'one two ')
  expect(String(await fromLate)).toBe('three ')
  late.destroy()
})

it('a wire ends with either of its ends', async () => {
  const { wire, near } = await echoThroughWire()
  await once(near, 'connect')
  const closed = once(near, 'close')
  await wire[Symbol.asyncDispose]()
  await closed
})
