import { describe, expect, it } from 'vitest'
import { router } from '../../router/router.ts'
import { GO_KEYS, keyCommand, type Pressed } from './keys.ts'

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more })
const free = { takesLetters: true, hasBegun: false }
const begun = { takesLetters: true, hasBegun: true }
const typing = { takesLetters: false, hasBegun: false }

describe('a key', () => {
  it.each([
    ['Ctrl-K opens the palette', press('k', { ctrlKey: true }), free, { kind: 'palette' }],
    ['Cmd-K too, with the shift lock', press('K', { metaKey: true }), free, { kind: 'palette' }],
    ['Ctrl-K while somebody types', press('k', { ctrlKey: true }), typing, { kind: 'palette' }],
    ['Ctrl-Alt-K is the system’s', press('k', { ctrlKey: true, altKey: true }), free, null],
    ['k alone goes up a row', press('k'), free, { kind: 'previous' }],
    ['j held down goes on', press('j', { repeat: true }), free, { kind: 'next' }],
    ['n held down makes one', press('n', { repeat: true }), free, null],
    ['? asks for help', press('?'), free, { kind: 'help' }],
    ['/ goes to the filter', press('/'), free, { kind: 'filter' }],
    ['/ is a slash while somebody types', press('/'), typing, null],
    ['n is a letter while somebody types', press('n'), typing, null],
    ['Ctrl-N is the browser’s', press('n', { ctrlKey: true }), free, null],
    ['g waits for another', press('g'), free, { kind: 'begin' }],
    ['g t goes to the tasks', press('t'), begun, { kind: 'go', page: 'tasks' }],
    ['g g goes to the groups', press('g'), begun, { kind: 'go', page: 'groups' }],
    ['g n makes nothing', press('n'), begun, null],
    ['t alone is nothing', press('t'), free, null],
    ['a name of every object is no key', press('toString'), begun, null],
  ])('%s', (_what, pressed, where, command) => expect(keyCommand(pressed, where)).toEqual(command))

  it('that goes somewhere goes to a page that there is', () => {
    for (const page of Object.values(GO_KEYS)) expect(router.hasRoute(page), page).toBe(true)
  })
})
