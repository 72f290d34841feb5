import type { Executor } from '@tickwheel/contract'

export const executors = {
  title: 'Executors', add: 'Add an executor', allGroups: 'All groups', allStates: 'All states',
  states: { online: 'Online', draining: 'Draining', offline: 'Offline' } satisfies Record<Executor['state'], string>,
  stateHints: { online: 'It takes work.', draining: 'It ends what it has and takes nothing new.', offline: 'The server has not heard from it.' } satisfies Record<Executor['state'], string>,
  transports: { stream: 'Stream', http: 'HTTP', xxl: 'XXL-JOB' } satisfies Record<Executor['transport'], string>,
  columns: { name: 'Executor', state: 'State', slots: 'Slots', load: 'Load', running: 'Running now', version: 'Version', seen: 'Last heard' },
  slots: '{used} of {capacity}', cpu: 'CPU {n}%', runningMore: '{n} more | {n} more', idle: 'nothing',
  drain: 'Drain', resume: 'Resume', forget: 'Forget', more: 'Actions for {name}', open: 'Details of {name}',
  drainTitle: 'Drain {name}?', drainText: 'It ends the {n} run it has, and gets nothing new until it is resumed. | It ends the {n} runs it has, and gets nothing new until it is resumed.', drainIdle: 'It gets nothing new until it is resumed.', drained: '{name} gets nothing new.', resumed: '{name} takes work again.',
  forgetTitle: 'Forget {name}?', forgetText: 'The executor “{name}” of group “{group}” leaves the list. Its past runs stay, and it comes back when it registers again.', forgotten: '{name} is forgotten.',
  detail: { host: 'Host', transport: 'Connected by', version: 'Version', registered: 'Registered', seen: 'Last heard', group: 'Group', labels: 'Labels', handlers: 'Handlers', running: 'Running now', none: 'none', builtIn: 'built in', attempt: 'attempt {n}', runs: 'All its runs', cpu: 'CPU', memory: 'Memory', queued: 'Waiting inside', pid: 'process {pid}' },
  emptyTitle: 'No executor has joined yet', emptyText: 'An executor is a process that runs tasks: on this machine or on any other that reaches this server.',
  unclaimed: {
    label: 'Executors without a group', text: '{n} XXL-JOB executor registered under an app name that no group has. It gets no work until there is one. | {n} XXL-JOB executors registered under app names that no group has. They get no work until there is one.',
    make: 'Make the group', noName: 'no group can have this name: give it letters', more: '{n} more app name | {n} more app names',
  },
  wizard: {
    title: 'Add an executor', group: 'For the group', groupHint: 'It runs the tasks of this group and of no other.', expires: 'The token is good for', lives: { month: '30 days', quarter: '90 days', year: '1 year', ever: 'until it is revoked' }, make: 'Make the command',
    ready: 'Run this where the tasks shall run, in a clone of Tickwheel:', once: 'The token in it is shown only now. Whoever has it can join the group “{group}” as an executor.', waiting: 'Waiting for it to connect…', connected: '{name} is connected.', another: 'Make another', copy: 'Copy the command', copied: 'Copied. Paste it into a terminal.',
    loopback: 'This address works only on this machine. For another one, open the server to the network (TICKWHEEL_HOST=0.0.0.0) and put its name here.', server: 'Server', ownTitle: 'In a program of your own', ownHttp: 'In any language: register, then take orders at the address and report (guide: Executors, “Over HTTP”).', way: 'How it connects', ways: { stream: 'Connection', http: 'HTTP endpoint' },
    wayHints: { stream: 'It opens a connection to the server and needs no inbound port.', http: 'It listens at an address of its own, to which the server posts. The server must reach EXECUTOR_HOST and EXECUTOR_PORT.' }, own: 'Use the SDK with the same token:', noGroups: 'There is no group for which you may do this.',
  },
}
