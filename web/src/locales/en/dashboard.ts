import type { SKIP_REASONS } from '@tickwheel/core'
import type { FindingKind } from '../../api/completeness.ts'

export const dashboard = {
  title: 'Dashboard',
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
