import type { SKIP_REASONS } from '@tickwheel/core'
import type { FindingKind } from '../../api/completeness.ts'

export const dashboard = {
  title: 'Dashboard', asTable: 'As a table', hour: 'Hour', onlyGroup: 'Only group {group}',
  hours: { label: 'Time shown', h24: '24 hours', h48: '48 hours', h168: '7 days' },
  tiles: {
    broken: 'Broken', late: 'Late', full: 'Full', next: 'Next 60 minutes', things: 'needs a look | need a look', bad: '{count} run failed in {span} | {count} runs failed in {span}',
    starts: 'Half start within {p50}, 99% within {p99}', noStarts: 'No schedule started a run in {span}', slots: 'slots in use', waiting: 'No run waits | {count} run waits | {count} runs wait', alsoFull: '{n} needs a look | {n} need a look',
    firings: 'firing | firings', first: '{name} {when}',
  },
  attention: {
    title: 'Needs attention', only: 'Only: {level}', all: 'Show everything', noneOf: 'Nothing of this kind.', none: 'Nothing needs you.', more: 'Show {n} more', cut: 'These are the worst; there are more.', levels: { broken: 'Broken', late: 'Late', full: 'Full' },
    finding: 'has an entry of the ledger that is wrong', held: 'is held back: its data are not sound', paused: 'stopped by itself after a failure | stopped by itself after {count} failures in a row',
    failing: 'failed last time | failed {count} times in a row', incident: 'has an open incident', rule: 'Rule “{name}”', channel: 'could not be reached, the last message is stuck | could not be reached {count} times in a row', overdue: 'is due, and no node fires it',
    waiting: '{count} run waits | {count} runs wait', noExecutor: 'has no executor left', executorsGone: '{count} executor is gone | {count} executors are gone', lastSeen: 'Last seen: {name}',
  },
  outcomes: { title: 'How runs ended', none: 'No run has ended in this time.' },
  lateness: {
    title: 'How late runs start', none: 'No schedule has started a run in this time.', starts: 'Starts', p50: 'Half within', p99: '99% within', p50Hint: 'Half of the runs started no later than this after they were due.', p99Hint: '99 of 100 runs started no later than this after they were due.',
    summary: '{count} start, half within {p50}, 99% within {p99} | {count} starts, half within {p50}, 99% within {p99}',
  },
  load: {
    busiest: 'Busiest', isDraining: 'draining', title: 'Executors', online: '{count} online', draining: '{n} draining', none: 'No executor has joined yet.', bar: '{used} of {slots} slots in use', waiting: '{count} run waits | {count} runs wait', noneOnline: 'none online', executors: '{n} executor | {n} executors', more: 'Show {n} more',
  },
  coming: { title: 'What comes next', none: 'Nothing is due within the hour.', minute: 'Minute', firings: 'Firings', first: 'First in turn', summary: 'no firing | {count} firing | {count} firings', summaryCut: 'more than {count} firings' },
  completeness: {
    title: 'Completeness, last 24 hours', hint: 'A reckoner of its own recomputes from the schedules what was due, and holds the firing ledger against it: due = fired + not fired, with a reason.',
    allWell: 'Everything that was due is accounted for.', nothing: 'Nothing was due yet.', broken: 'The ledger is not complete: look at the findings below.',
    expected: 'Due', fired: 'Fired', skipped: 'Not fired, with a reason', missing: 'Missing', doubled: 'Doubled',
    missingHint: 'Due, and nothing says what became of it. This does not happen unless data was lost or changed from outside.', doubledHint: 'Settled twice, or fired without being due. This does not happen unless data was changed from outside.',
    until: 'Reckoned up to {at}', behind: 'The reckoner is {span} behind. It catches up by itself.', since: 'Reckoned since {at}; what came before was not.', never: 'The reckoner has not begun yet. It begins within seconds.',
    hours: 'By hour', hour: '{hour}: {expected} due, {fired} fired, {skipped} not fired, {missing} missing, {doubled} doubled', byGroup: 'By group', group: 'Group',
  },
  reasons: {
    misfire: 'the time to start it had passed', overlap: 'the run before had not ended', queueFull: 'too many runs waited', stoppedFirst: 'the schedule was stopped first', restored: 'left out after a restore',
  } satisfies Record<(typeof SKIP_REASONS)[number], string>,
  findings: {
    title: 'Findings', none: 'No finding: no entry of the ledger is missing, doubled or wrong.', what: 'What', task: 'Task', when: 'Due', found: 'Found', over: 'over since {at}', count: '{n} instant | {n} instants', more: 'These are the newest; there are more.',
    kinds: {
      missing: 'Missing: due, and the ledger has no entry', doubled: 'Doubled: settled by two entries', notDue: 'Fired, and was not due', broken: 'An entry names another instant before it than the one that is there', noRun: 'Fired, and its run is not there', wrongRun: 'Fired, and its run is that of another instant', overdue: 'Overdue: no node fires it',
    } satisfies Record<FindingKind, string>,
  },
  recovery: {
    title: 'Recovery reports', none: 'No outage: every firing was settled when it was due.', hint: 'What was made of firings that came while nothing could fire them, such as while the server was down.',
    span: 'nothing fired for {span}', sums: '{madeUp} made up, {skipped} left out', madeUp: 'Made up', skipped: 'Left out', policy: 'Rule', policies: { restored: 'Left out after a restore', grace: 'Fired late, within its time of grace' }, more: 'More tasks were affected than are named here.', tasks: '{n} task | {n} tasks', due: 'Due',
  },
}
