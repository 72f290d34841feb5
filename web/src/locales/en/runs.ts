import type { RejectCode } from '@tickwheel/contract'

export const runs = {
  title: 'Runs',
  columns: { state: 'State', task: 'Task', cause: 'Cause', due: 'Due', started: 'Started', duration: 'Duration', executor: 'Executor' },
  filters: { task: 'Task', allTasks: 'All tasks', allGroups: 'All groups', allCauses: 'All causes', allExecutors: 'All executors', states: 'States', range: 'Time', from: 'From', to: 'To', label: 'Filters', open: 'Open', bad: 'Problems' },
  presets: { hour: 'Last hour', day: 'Last 24 hours', week: 'Last 7 days' },
  older: 'Older', newer: 'Newer', newest: 'Newest', page: 'Page {n}', arrived: '{n} new run: show it | {n} new runs: show them',
  emptyTitle: 'No runs yet', emptyText: 'A run appears here each time a task fires or is started by hand.', toTasks: 'To the tasks',
  attempt: 'Attempt {n}', late: '{span} late',
  detail: {
    title: 'Run {id}', cancel: 'Cancel', canceling: 'Canceling…', retry: 'Run again', change: 'Run with changes…', more: 'More actions',
    cancelTitle: 'Cancel run {id}?', cancelText: 'The run of “{task}” is stopped on its executor. What it has done so far stays done.', cancelConfirm: 'Cancel run', cancelKeep: 'Let it run',
    retryTitle: 'Run again?', retryText: 'A new run of “{task}” starts with the parameters of this one, as the task is defined now.', asked: 'Cancelation asked for {ago}', asFrom: 'Run again from {run}', wasRetried: 'Run again as {run}',
    version: 'Version {n}', due: 'Due', fired: 'Fired', askedFor: 'Asked for', ended: 'Ended', hidden: 'You may not see this.', noParams: 'This run has no parameters.', noResult: 'It gave no result.', resultLater: 'The result appears when the run has ended.',
    details: 'Details', showDetails: 'Show the details', hideDetails: 'Hide the details', progress: '{n}%',
  },
  tabs: { trace: 'Decisions', attempts: 'Attempts', compare: 'Compare', input: 'Input', result: 'Result' },
  trace: { system: 'Tickwheel', inGroup: ' in group “{group}”', empty: 'No decision is recorded.', since: 'after {span}',
    joined: '{before} {sentence}', whom: 'Among whom, in order: {whom}.', keyTask: 'The key is the task.', key: 'The key is what the run has at {key}.', afterTried: 'The try before was at {name}: it goes on behind it.', uses: 'It had {uses} runs lately.', load: '{running} of {capacity} were in use there.', over: 'All were above their share.', passed: '{n} before it had no room. | {n} before it had no room.' },
  attempts: { none: 'Nothing was sent to an executor yet.', outcome: 'Outcome', executor: 'Executor', sent: 'Sent', ran: 'Ran', late: 'reported after it was given up', rejected: 'Not taken', neverReceived: 'Never received', open: 'Under way' },
  compare: {
    title: 'This run beside the last success', mine: 'This run', other: 'Last success', version: 'Version', total: 'In all', factor: '×{factor}', differs: 'differs', open: 'Compare', comma: ', ',
    line: 'Against the last success {run}: {facts}.', sameLine: 'Against the last success {run}: same parameters, version and executor.',
    facts: { params: 'other parameters', version: 'version {now} in place of {then}', executor: 'there on {executor}', attempts: 'another number of attempts', slower: '{factor} times as long' },
    none: 'No run of it before this one has succeeded, as far as runs are kept.', notAmongNewest: 'None of the newest 20,000 runs before this one has succeeded.', later: 'The comparison appears when the run has begun.',
    sameParams: 'Same parameters.', paramsHidden: 'You may not see the parameters.', sameDefinition: 'Same definition.', definition: 'Definition: version {then} → {now}', definitionHidden: 'You may not see the definition.',
  },
  shards: {
    title: 'Shards', index: 'Shard', key: 'Key', all: 'All', done: '{n} of {total} have ended', making: '{n} of {total} are made so far', none: 'It has no shards.', noneSuch: 'No shard is in these states.', isShard: 'Shard {index} of {total} of run {run}', retry: 'Run this shard again', retried: 'run again as {run}',
    retryText: 'This shard of “{task}” runs again by itself, as a new run. The run that it belonged to has ended and stays as it is.', never: '{n} was never made | {n} were never made', list: 'Shards of the run', summary: '{total} shards',
    mapped: 'split by its handler', main: 'Shards and log', reduce: { later: 'their results are combined when all have ended', begun: 'the last attempt combines their results' },
  },
  shardProblems: { rangeEmpty: 'the range ends before it begins', tooManyShards: 'a run has at most 10,000 shards', paramsNotAList: 'its parameters are no JSON array' },
  segments: {
    late: 'Late', queueing: 'Before the queue', waiting: 'Waiting', earlierAttempts: 'Earlier attempts', shards: 'Split and shards', sending: 'Being sent', starting: 'Starting', running: 'Running',
  },
  segmentHints: {
    late: 'from the instant it was due to its firing', queueing: 'from its firing to the queue', waiting: 'in the queue, until it was sent to an executor', earlierAttempts: 'earlier attempts and the pauses between them',
    shards: 'its split and its shards, until the attempt that combines their results was sent', sending: 'on the way to the executor, until it took the run', starting: 'on the executor, until it began', running: 'from its start to its end',
  },
  longest: { late: 'It fired {span} late.', queueing: 'It took {span} to enter the queue.', waiting: 'It waited {span} in the queue.', earlierAttempts: 'Earlier attempts took {span}.', shards: 'Its split and its shards took {span}.', sending: 'The executor took {span} to accept it.', starting: 'It waited {span} on the executor for a free worker.', running: 'It ran for {span}.' },
  bar: 'From due to end',
  empty: { waiting: 'The run has not started yet.' },
  errors: {
    EXIT_CODE: 'it ended with an exit code other than 0', KILLED_BY_SIGNAL: 'it was killed by a signal', SPAWN_FAILED: 'it could not be started', RESULT_TOO_LARGE: 'its result is too large', RESULT_NOT_JSON: 'its result is not JSON',
    HTTP_STATUS: 'the answer had another status than expected', HTTP_FAILED: 'the HTTP call failed', HANDLER_ERROR: 'the handler threw an error', TIMED_OUT: 'its time was up', CANCELED: 'it was canceled', DISPATCH_REFUSED: 'the executor refused what it was sent',
    QUEUE_TIMEOUT: 'no executor was given it in time', EXECUTOR_LOST: 'the executor was lost', EXECUTOR_RESTARTED: 'the executor restarted', SERVER_LOST: 'the executor had lost the server', EXECUTOR_STOPPED: 'the executor stopped', CANCEL_UNCONFIRMED: 'the executor never confirmed that it stopped', LOST: 'it was lost',
    SHARDS_FAILED: 'some of its shards did not succeed', SHARDS_REFUSED: 'it could not be split',
    MAP_INCOMPLETE: 'not all shards that it had split off arrived', MAP_REFUSED: 'the server did not take the shards that it split off', MAP_UNSUPPORTED: 'it cannot be split here', MAP_TOO_MANY: 'it has more than 10,000 shards', MAP_ITEM_INVALID: 'an item of a shard is too large, or not JSON',
    MAP_SHARDED: 'its task has shards already, and its handler splits it, too', REDUCE_UNSUPPORTED: 'the handler cannot combine the results of shards', SHARD_RESULTS_INCOMPLETE: 'the results of its shards could not be read',
  },
  rejects: {
    capacity: 'it is full', unknownHandler: 'it does not know the handler', handlerNotAllowed: 'it does not allow this kind of handler', draining: 'it is draining', otherBoot: 'it has restarted meanwhile', tooOld: 'the order came too late',
    canceledFirst: 'the run was canceled first', badDispatch: 'it did not understand the order', unreachable: 'it could not be reached at its address',
  } satisfies Record<RejectCode, string>,
}
