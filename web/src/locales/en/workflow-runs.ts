
/** Runs of workflows: the page of one, the list, the grid. */
export const workflowRuns = {
  title: 'Workflow runs', ofTasks: 'Tasks', ofWorkflows: 'Workflows', what: 'Runs of',
  views: { label: 'View', canvas: 'Canvas', timeline: 'Time line', table: 'Table', data: 'Input and output' },
  date: 'Business date', dateAny: 'Any business date', version: 'Version',
  fact: { asStep: 'Step {step} of run {run}', asFrom: 'Run again from {run}', wasRetried: 'Run again as {run}' },
  paused: 'Paused: what runs ends, nothing new starts.',
  attention: { approval: 'Step {step} waits for approval.', show: 'Show the step' },
  critical: { toggle: 'Critical path', hint: 'The chain of steps that determined when the run ended', hintOpen: 'The chain of steps that led to the one that has been open longest' },
  canvas: { label: 'Steps of the run', in: 'Zoom in', out: 'Zoom out', fit: 'Show all', legend: 'Lines', step: 'Step {step}: {state}' },
  edges: {
    taken: 'taken', passed: 'not chosen', blocked: 'blocked', open: 'not decided yet', in: 'What it waited for', out: 'Where it led', first: 'It begins with the run.', last: 'Nothing follows it.',
    on: { success: 'after success', failure: 'after failure', always: 'in any case', branch: 'branch {branch}' },
  },
  join: { all: 'Starts when all ways in are done and none is blocked', any: 'Starts when the first way in is taken', allDone: 'Starts when every way in is decided', atLeast: 'Starts when {n} way in is taken | Starts when {n} ways in are taken' },
  timeline: { empty: 'No step has begun yet.', without: '{n} step without a bar: not begun, skipped or kept | {n} steps without a bar: not begun, skipped or kept', start: 'start', step: 'Step' },
  table: { key: 'Step', kind: 'Kind', state: 'State', started: 'Started', duration: 'Duration', about: 'About', find: 'Find a step', nothing: 'No step matches.' },
  data: { input: 'Input', output: 'Output', noInput: 'This run was given nothing.', noOutput: 'This workflow declares no output.', outputLater: 'The output appears when the run has succeeded.', hidden: 'You may not see this.' },
  step: {
    label: 'Step {step}', close: 'Close the step', openRun: 'Open the run', openWorkflowRun: 'Open its run', gone: 'The workflow has no step {step} in this version.', reused: 'Kept from run {run}', round: 'Round {n}', branch: 'Branch', next: 'Looked at again', expires: 'Expires', waitsUpstream: 'Waits for a success of {name}', waitsUntil: 'Waits until {at}', waitsRound: 'Tried again at {at}',
    continued: 'Its failure counts as a success here.', disabled: 'Switched off: it counts as succeeded.', skippedBlocked: 'Skipped, because {step} did not succeed.', skippedPassed: 'Skipped: {step} led another way.', skipped: 'Skipped: none of its ways in was chosen.',
    tabs: { log: 'Log', input: 'Input', output: 'Output', items: 'Items', edges: 'Ways', rounds: 'Rounds', definition: 'Definition' },
    noInput: 'It was given no parameters.', noOutput: 'It gave nothing.', outputLater: 'The output appears when the step has ended.', noLog: 'A step of this kind prints no log.', logLater: 'The log appears when the step runs.', subLog: 'What its steps printed is on the page of its run.',
    decided: { approved: 'Approved by {by}', rejected: 'Rejected by {by}', completed: 'Marked as done by {by}' }, prompt: 'Asked',
  },
  items: { done: '{n} of {total} have ended', making: '{n} of {total} are made so far', none: 'It has no items.', noneSuch: 'No item is in these states.', index: 'Item', value: 'Value', all: 'All', about: 'About' },
  actions: {
    cancel: 'Cancel', canceling: 'Canceling…', pause: 'Pause', resume: 'Resume', retry: 'Run again…', retryFailed: 'Run again from failure…', fromHere: 'Run again from here…', approve: 'Approve', reject: 'Reject', complete: 'Mark as done…', goOn: 'Go on as if done…',
    cancelTitle: 'Cancel run {id}?', cancelText: 'What runs of “{workflow}” is stopped, sub-workflows too, and nothing more starts. What it has done so far stays done.', cancelConfirm: 'Cancel run', keep: 'Let it run',
  },
  decide: {
    approveTitle: 'Approve step {step}?', rejectTitle: 'Reject step {step}?', comment: 'Comment', commentHint: 'It stays with the run and in the audit log.', back: 'Back',
  },
  complete: {
    title: 'Mark step {step} as done', text: 'The step succeeds with this output, and what it runs is canceled. It is written into the audit log.', textEnded: 'A new run begins in which the step counts as succeeded with this output. What was kept stays as it is.',
    output: 'Output', outputHint: 'JSON, or empty: later steps see null.', badJson: 'This is not JSON.', reason: 'Reason', reasonMissing: 'Say why.', confirm: 'Mark as done', confirmEnded: 'Start the new run',
  },
  retry: {
    title: 'Run again', from: 'Begin with', failed: 'What did not succeed', chosen: 'Chosen steps', whole: 'The start: everything again', choose: 'Choose steps', version: 'Version', same: 'Version {n}, as this run', latest: 'Version {n}, the latest', isLatest: 'Version {n} (the latest)',
    text: 'This run stays as it is; a new one takes over the results that are kept.', again: '{n} step runs again | {n} steps run again', kept: '{n} step is kept | {n} steps are kept', none: 'nothing', more: 'and {n} more', confirm: 'Start the new run',
    missing: 'The latest version has no step {step}, whose result would be kept. Choose the version of this run, or begin at the start.', otherKind: 'In the latest version {step} is a step of another kind. Choose the version of this run, or begin at the start.', anew: '{n} step that was not chosen is decided anew | {n} steps that were not chosen are decided anew', added: 'new', loadFailed: 'The latest version could not be read.',
  },
  list: { emptyTitle: 'No runs yet', emptyText: 'A run appears here each time a workflow fires or is started by hand.', columns: { state: 'State', workflow: 'Workflow', cause: 'Cause', date: 'Business date', due: 'Due', duration: 'Duration', steps: 'Steps' }, look: 'Look', looks: { list: 'List', grid: 'Grid' } },
  grid: { label: 'Steps of the last runs', runs: 'Last {n} runs', cell: '{step}, {date}: {state}', run: 'Run {id}, {date}: {state}', none: 'was not part of the run', emptyTitle: 'No runs yet', emptyText: 'Each run becomes a column here, each step a row.' },
  instance: { step: 'Step {step} of the run #{id} of {workflow}' },
  errors: {
    EXPRESSION_FAILED: 'an expression failed', FANOUT_TOO_LARGE: 'there are too many items', WORKFLOW_UNKNOWN_TASK: 'the task or workflow does not exist any more', WORKFLOW_TOO_DEEP: 'sub-workflows are nested too deep', APPROVAL_EXPIRED: 'nobody decided in time', WAIT_EXPIRED: 'what it waited for did not come in time',
    RESULT_TOO_LARGE: 'its result is too large', STEP_FAILED: 'a step failed', ITEMS_FAILED: 'some items failed', PARAMS_INVALID: 'the parameters do not fit', NOT_ALLOWED: 'who saved the workflow may not run this any more',
  },
}
