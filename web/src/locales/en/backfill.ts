/** Running again what was due: the drawer of tasks and workflows. */
export const backfill = {
  title: 'Backfill “{name}”', menu: 'Backfill…', intro: 'Runs what was due in a time that has passed: a run for each instant, with that instant as its business time, in the present version. The schedule and its firings stay as they are.',
  range: 'What was due from … until before', which: 'Which instants', orderLabel: 'Order', concurrency: 'Runs at once',
  only: { missing: 'What is missing', failed: 'What failed', all: 'All of them' },
  onlyHint: { missing: 'Instants for which no run has succeeded or is under way.', failed: 'Instants whose last run did not succeed.', all: 'Every instant that was due, also where a run has succeeded.' },
  order: { oldestFirst: 'Oldest first', newestFirst: 'Newest first' }, atOnce: '{n} at once',
  preview: 'Show what would run', wouldRun: '{n} run would be made: | {n} runs would be made:', showAll: 'Show {n}', more: 'and {n} more', none: 'no run', gone: 'fired; its run is no longer kept', planned: 'another backfill is about to run it',
  start: 'Start', startCount: 'Start {n} run | Start {n} runs',
  earlier: 'Backfills so far', states: { running: 'Running', done: 'Done', canceled: 'Canceled' }, progress: 'Ended so far', made: '{made} of {total} made', open: '{n} under way',
  cancel: { button: 'Cancel', rest: 'Make no more runs', all: 'And cancel what is under way', title: 'Cancel the backfill?', text: 'No more runs are made: {made} of {total} are. What is under way ends by itself.', withRuns: 'No more runs are made: {made} of {total} are. What is under way is canceled.', confirm: 'Cancel backfill', keep: 'Let it run' },
  presets: { day: 'Last 24 hours', yesterday: 'Yesterday', week: 'Last 7 days' },
}
