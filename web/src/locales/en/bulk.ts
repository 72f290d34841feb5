/** One action for many tasks, workflows or runs. */
export const bulk = {
  title: 'Bulk operations', one: 'Bulk operation {id}', open: 'Bulk operations',
  emptyTitle: 'No bulk operations yet', emptyText: 'Select rows in the list of tasks, workflows or runs, or choose all that match, and do one thing to them all. What has become of each is shown here for 30 days.',
  bar: {
    label: 'For the selected ones', clear: 'Clear the selection', chooseAll: 'Choose all {n} that match', chooseEverything: 'Choose everything that matches', allChosen: 'All {n} that match are chosen', everything: 'Everything that matches is chosen', onlyPage: 'Only the {n} selected',
    exportTooMany: 'More than {max} match. Narrow the filter, or export whole groups.',
    noneOpen: 'None of the selected runs can be canceled: all have ended.', noneEnded: 'None of the selected runs has ended.',
  },
  actions: { start: 'Start', stop: 'Stop', trigger: 'Run', delete: 'Delete', cancel: 'Cancel', retry: 'Run again', export: 'Export' },
  titles: {
    task: { start: 'Start {n} task | Start {n} tasks', stop: 'Stop {n} task | Stop {n} tasks', trigger: 'Run {n} task | Run {n} tasks', delete: 'Delete {n} task | Delete {n} tasks' },
    workflow: { start: 'Start {n} workflow | Start {n} workflows', stop: 'Stop {n} workflow | Stop {n} workflows', trigger: 'Run {n} workflow | Run {n} workflows', delete: 'Delete {n} workflow | Delete {n} workflows' },
    instance: { cancel: 'Cancel {n} run | Cancel {n} runs', retry: 'Run {n} run again | Run {n} runs again' },
  },
  means: {
    task: {
      start: 'Their schedules fire from now on. What has started already stays as it is.', stop: 'Their schedules fire no more until somebody starts them.',
      trigger: 'Each gets a run now, with its own parameters.', delete: 'They are deleted with their schedules and versions. Past runs are kept.',
    },
    workflow: {
      start: 'Their schedules fire from now on. What has started already stays as it is.', stop: 'Their schedules fire no more until somebody starts them.',
      trigger: 'Each gets a run now, with its own parameters.', delete: 'They are deleted with their schedules and versions. Past runs are kept.',
    },
    instance: { cancel: 'Those that run are stopped; what they have done is not undone.', retry: 'Each becomes a new run with the same parameters, in the present version of its task.' },
  },
  dialog: {
    first: 'What this is done to', more: 'and {n} more', refused: '{n} of them will be refused: you may not do this to it, or it is not there. | {n} of them will be refused: you may not do this to them, or they are not there.',
    cancelRuns: 'Also cancel their runs that have not ended', where: 'The server carries it out; a page shows the result of each, and lets you stop the rest.',
  },
  states: { running: 'Running', done: 'Done', canceled: 'Canceled' },
  items: { failed: 'Refused', waiting: 'Waiting', done: 'Done', canceled: 'Canceled' },
  results: { start: 'Started', stop: 'Stopped', trigger: 'Run', delete: 'Deleted', cancel: 'Cancelation asked for', retry: 'Run again' },
  columns: { state: 'State', what: 'What', progress: 'Progress', by: 'By', begun: 'Begun', result: 'Result', task: 'Task', workflow: 'Workflow', instance: 'Run' },
  page: {
    progress: 'Progress', settled: '{done} of {total} settled', by: 'by {name}', begun: 'begun', ended: 'ended', byFilter: 'what matched this filter', byHand: 'selected one by one', withRuns: 'with their runs', results: 'Results', all: 'All {n}',
    cancelRest: 'Cancel the rest', cancelTitle: 'Cancel the rest?', cancelText: '{done} are settled and stay as they are. Nothing is done to {n} that waits. | {done} are settled and stay as they are. Nothing is done to the {n} that wait.', keep: 'Let it run',
    openRun: 'Run {id}', waitsFor: 'Waits: {why}', next: 'Next page', back: 'Previous page',
  },
}
