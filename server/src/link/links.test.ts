import { beforeEach, expect, it } from 'vitest'
import { dispatchOf, FakeHost } from './conformance.fixture.ts'
import type { Link, LinkHost, Session } from './link.ts'
import { Links } from './links.ts'

/** An adapter that notes what it is asked. */
class NotingLink implements Link {
  readonly asked: string[] = []
  readonly host: LinkHost

  constructor(host: LinkHost) {
    this.host = host
  }

  send({ executorId, bootId }: Session): 'sent' {
    this.asked.push(`send ${executorId}/${bootId}`)
    return 'sent'
  }
  drain({ executorId }: Session, draining: boolean): void {
    this.asked.push(`drain ${executorId} ${draining}`)
  }
  end({ executorId, bootId }: Session, why: string): void {
    this.asked.push(`end ${executorId}/${bootId} ${why}`)
  }
  pause(): void {
    this.asked.push('pause')
  }
  resume(): void {
    this.asked.push('resume')
  }
}

const one = { executorId: 1, bootId: 10 }
const two = { executorId: 2, bootId: 11 }
let host: FakeHost
let links: Links
let a: NotingLink
let b: NotingLink
beforeEach(() => {
  host = new FakeHost()
  links = new Links(host)
  a = links.add((own) => new NotingLink(own))
  b = links.add((own) => new NotingLink(own))
})

it('sends to a session by the adapter that welcomed it, and to no other', () => {
  a.host.joined(one)
  b.host.joined(two)
  expect(links.send(one, [dispatchOf(1, one)])).toBe('sent')
  expect(links.send(two, [dispatchOf(2, two)])).toBe('sent')
  links.drain(two, true)
  links.end(one, 'sessionEnded')
  expect(a.asked).toEqual(['send 1/10', 'end 1/10 sessionEnded'])
  expect(b.asked).toEqual(['send 2/11', 'drain 2 true'])
})

it('knows nothing of another boot', () => {
  a.host.joined(one)
  expect(links.send({ ...one, bootId: 9 }, [dispatchOf(1, one)])).toBe('absent')
  expect(links.send({ ...one, bootId: 11 }, [dispatchOf(1, one)])).toBe('absent')
  links.end({ ...one, bootId: 9 }, 'superseded')
  expect(a.asked).toEqual([])
})

it('ends what the older process of an executor had by another adapter, and its going is no news', () => {
  a.host.joined(one)
  b.host.joined({ ...one, bootId: 12 })
  a.host.left(one)
  expect(a.asked).toEqual(['end 1/10 superseded'])
  expect(host.heard).toEqual(['joined 1/10', 'joined 1/12'])
  expect(links.send({ ...one, bootId: 12 }, [])).toBe('sent')
})

it('forgets a session that is gone', () => {
  a.host.joined(one)
  a.host.left(one)
  expect(host.heard).toEqual(['joined 1/10', 'left 1/10'])
  expect(links.send(one, [dispatchOf(1, one)])).toBe('absent')
})

it('pauses and resumes all adapters', () => {
  links.pause()
  links.resume()
  expect([a.asked, b.asked]).toEqual([
    ['pause', 'resume'],
    ['pause', 'resume'],
  ])
})
