import type { WhyAnswer } from '@tickwheel/contract'

export const task = {
  tabs: { runs: 'Runs', firings: 'Firings', why: 'Why?', settings: 'Settings' },
  next: 'Next firing', off: 'The schedule is off', runNow: 'Run now', withParams: 'Run with parameters…', edit: 'Edit', versions: 'Versions', delete: 'Delete', more: 'More actions',
  held: 'This task is held back since {at}: {reason}', paused: 'The schedule stopped by itself {at}: {n} run had failed. | The schedule stopped by itself {at}: {n} runs in a row had failed.', pausedRun: 'Last failed run: #{id}', owner: 'Owner: {name}',
  firings: {
    due: 'Due', outcome: 'Outcome', why: 'Reason', fired: 'Fired', skipped: 'Not fired', folded: 'Fired', run: 'Run {run}', range: 'from {from} to {to}', count: '{n} firing | {n} firings', uncounted: 'not counted yet', foldedText: 'These are kept as one count: all fired.',
    emptyTitle: 'No firing yet', emptyText: 'Each instant at which the task is due leaves an entry here: fired, or not fired and why.', nothing: 'No firing in this time.', explain: 'Why?', older: 'Older', newest: 'Newest',
  },
  why: {
    title: 'Why did it, or did it not, run?', intro: 'Pick any instant, past or future. The firing ledger answers.', at: 'Instant', zone: 'in {zone}', ask: 'Ask', now: 'Now', lastNight: 'Last night, 02:00', yesterday: 'This time yesterday', facts: 'Facts', change: 'What would change it',
    verdicts: {
      fired: 'It fired, as it should: run {run}.', skipped: 'It was due, and did not fire. {reason}', folded: 'It was due, and it fired.', notDue: 'It was not due then.', paused: 'It was not due then: its schedule was off.', beforeTask: 'The task did not exist yet.',
      overdue: 'It is due, and has not fired yet.', held: 'It is held back: {reason}', notYet: 'That instant has not come yet.', deleted: 'The task had been deleted.', unknown: 'The records do not reach that far.',
    } satisfies Record<WhyAnswer['verdict'], string>,
    manual: { sentence: 'It has no schedule: it runs only when it is started by hand, by the API or by a workflow.', more: 'Without a schedule no instant is due.', change: 'Give the task a schedule.' },
    more: {
      fired: 'Open the run to see what became of it.', folded: 'A task that fires often keeps one count for each hour; its runs are listed as usual.', notDue: 'The schedule in force then had no firing at that instant.', paused: 'While a schedule is off, no instant is due, so nothing was missed.',
      overdue: 'The server is late with it. This passes by itself as soon as it catches up.', notYet: 'What will become of it is known then.', unknown: 'They may have been deleted by retention.', notYetNotDue: 'By the present schedule it will not be due then.',
    },
    calendar: {
      excluded: 'Its schedule names that instant, and calendar “{calendar}” leaves it out: {day}.', movedAway: 'Its schedule names that instant, and calendar “{calendar}” moved it to {to}: {day}.', more: 'So nothing was due then, and nothing was missed.', moreMoved: 'So nothing was due then; the firing that it was moved to stands for it.', moreMovedHere: 'It stands for an instant on a day off.',
      named: '{name}, version {version}', day: '{day} ({reason})', change: 'Change that day in the calendar “{name}”, or what the schedule does on a day off.',
    },
    fact: { fired: 'Fired at', attempts: 'Attempts', asked: 'Asked for', due: 'Was due', run: 'Run', version: 'Version in force', schedule: 'Schedule then', previous: 'Due before that', next: 'Due after that', range: 'Covers', count: 'Firings left out', decided: 'Decided', blocker: 'Run in the way', late: 'Late by', policy: 'Rule for missed firings', max: 'Limit', held: 'Held since', folded: 'Fired in that hour', calendar: 'Calendar', calendarDay: 'That day', movedFrom: 'Moved from', movedTo: 'Moved to', created: 'Task created', before: 'Due' },
    changes: {
      misfire: 'Under “{field}”, choose “{all}”, or a longer time before a firing counts as missed.', overlap: 'Under “{field}”, choose “{queue}” or “{parallel}”.', queueFull: 'Under “{field}”, allow more waiting runs, or give the task more time between firings.', stoppedFirst: 'Start the schedule.', restored: 'Nothing: firings before a restored point are left out, so that none happens twice. Start it by hand if it is still needed.',
      byHand: 'To make up for it, run the task by hand.', paused: 'Start the schedule; it then fires from the next instant on.', notDue: 'A schedule that includes this instant.', held: 'Save the task once more, with a correct definition.', overdue: 'If it does not pass, look whether the server runs and reaches its database.',
    },
  },
  trend: { title: 'Duration of the last run | Duration of the last {n} runs', spans: 'typically {typical}, longest {longest}', logarithmic: 'logarithmic' },
  route: {
    title: 'Who would get it now, and why', next: '{name} would get it.', byChance: 'One of {n} executors would get it, by chance.', nobody: 'No executor has registered in this group yet.', slots: '{used} of {capacity} in use',
    elsewhere: 'Another node decides for this task. It remembers turns and uses that are not known here, so its order may differ.', ready: 'has a free slot', home: 'the home of its key', over: 'above its share of {most}, so behind the others', uses: '{uses} runs lately', unused: 'no run yet',
    obstacles: { offline: 'offline', labelsMissing: 'lacks the label {labels}', handlerUnknown: 'does not know the handler', draining: 'takes nothing new', resting: 'has just refused a run', full: 'full' },
  },
  settings: { version: 'Version', hidden: 'You may not see this.', nothing: 'none' },
}
