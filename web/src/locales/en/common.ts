/** Words that several pages use. */
export const common = {
  units: {
    ms: '{n} ms', s: '{n} s', min: '{n} min', h: '{n} h', d: '{n} d',
    in: 'in {span}', ago: '{span} ago', now: 'now',
    local: 'Here', taskZone: 'Task', utc: 'UTC',
    milliseconds: 'ms', seconds: 'seconds', minutes: 'minutes', hours: 'hours', days: 'days',
  },
  states: {
    waiting: 'Waiting', queued: 'Queued', dispatched: 'Dispatched', running: 'Running', succeeded: 'Succeeded', failed: 'Failed',
    timedOut: 'Timed out', canceled: 'Canceled', lost: 'Lost', skipped: 'Skipped', paused: 'Paused', pending: 'Not started',
  },
  causes: { schedule: 'Schedule', manual: 'By hand', api: 'API', retry: 'Retry', workflow: 'Workflow', backfill: 'Backfill', shard: 'Shard' },
  actions: {
    save: 'Save', cancel: 'Cancel', close: 'Close', edit: 'Edit', copy: 'Copy', retry: 'Try again', create: 'Create',
    closeTitle: 'Close without saving?', closeText: 'What you have changed here is lost.', discard: 'Discard changes', stay: 'Keep editing', copied: 'Copied',
  },
  list: {
    total: 'No entries | {n} entry | {n} entries', totalCapped: 'more than {n}', selected: '{n} selected', loadMore: 'Load more', nothingMatches: 'Nothing matches these filters.',
    actions: 'Actions', clearFilters: 'Clear the filters',
  },
}
