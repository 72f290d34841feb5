/** Who did what. An action is a verb and a kind of thing; what this console does not know is shown as the server names it. */
export const audit = {
  title: 'Audit log', refresh: 'Read again',
  columns: { at: 'Time', actor: 'Who', action: 'What', thing: 'On what', group: 'Group', outcome: 'Outcome' },
  outcomes: { done: 'Done', refused: 'Refused' }, times: '{n} time | {n} times', changed: 'Changed: {names}', more: '{names} and {n} more',
  actors: { user: 'Person', token: 'Token', executor: 'Executor', system: 'Tickwheel itself' }, nobody: 'not signed in', others: 'many others',
  filters: { label: 'Filters', keyword: 'Name, code or request', actor: 'Who', action: 'Every action', group: 'Every group', outcome: 'Every outcome', ip: 'Address', from: 'From', to: 'To', ofThing: 'Only {thing}', allOf: 'All about {kind}' },
  presets: { hour: 'Last hour', day: 'Last 24 hours', month: 'Last 30 days' },
  newest: 'Newest', newer: 'Newer', older: 'Older', page: 'Page {n}', lookOn: 'Look further back',
  emptyTitle: 'Nothing has been recorded yet', emptyText: 'Every change, sign-in and refused call of the groups whose log you may read appears here.',
  export: { label: 'Export', csv: 'CSV, for spreadsheets', jsonl: 'JSON lines, for programs', text: 'What the filters show, at most {max} entries. The export is recorded too.', done: 'The export is in your downloads.' },
  detail: {
    at: 'Time', actor: 'Who', from: 'From the address', request: 'Request', thing: 'On what', group: 'Group', outcome: 'Outcome', code: 'Reason', count: 'Repeated', countOf: '{n} time within a minute | {n} times within a minute',
    changes: 'What was changed', values: 'What was given', gone: 'What was there', none: 'No fields were changed.', hidden: 'You may not see the parameters of this thing, so its changes are hidden too.', digest: '{size}, SHA-256 {sha}', before: 'Before', after: 'After', history: 'Everything about it', byActor: 'Everything they did', copyLink: 'Copy link',
    system: 'no address: Tickwheel itself', deletedGroup: 'group {id}, deleted',
  },
  of: '{verb} {kind}',
  special: {
    auth_login: 'Sign in', auth_logout: 'Sign out', auth_password: 'Change own password', auth_refreshReplayed: 'Old session used again, ended', audit_export: 'Export audit log', document_export: 'Export configuration', system_resume: 'Go on after a restore', self: 'Call before changing the password', executorToken: 'Call of an executor', executorSession: 'Call of an executor',
    workflow_cancel: 'Cancel workflow run', workflow_pause: 'Pause workflow run', workflow_resume: 'Resume workflow run', workflow_approve: 'Approve step', workflow_reject: 'Reject step', workflow_complete: 'Complete step by hand', workflow_retry: 'Run workflow again', task_pause: 'Stop task after failures', task_editScript: 'Edit script of task', user_password: 'Reset password of user', token_use: 'Use token from a new address', task_cancelBackfill: 'Cancel backfill', workflow_cancelBackfill: 'Cancel backfill', instance_retry: 'Run again', bulk_start: 'Begin bulk operation', bulk_cancel: 'Cancel bulk operation', instance_cancel: 'Cancel run', task_runWithParams: 'Run task with parameters', workflow_runWithParams: 'Run workflow with parameters',
  },
  verbs: {
    create: 'Create', edit: 'Edit', delete: 'Delete', start: 'Start', stop: 'Stop', run: 'Run', retry: 'Run again the', cancel: 'Cancel', pause: 'Pause', resume: 'Resume', restore: 'Restore', approve: 'Approve', reject: 'Reject', complete: 'Complete', drain: 'Drain', revoke: 'Revoke', enroll: 'Enroll', view: 'See', viewParams: 'See parameters of', viewLogs: 'See logs of',
    runWithParams: 'Choose parameters of', toggle: 'Start or stop', operate: 'Operate', export: 'Export', disable: 'Disable', enable: 'Enable', reset: 'Reset', acknowledge: 'Acknowledge', silence: 'Silence', close: 'Close', test: 'Test', use: 'Use', rotate: 'Rotate', backfill: 'Backfill',
  },
  kinds: {
    auth: 'sign-in', task: 'task', workflow: 'workflow', instance: 'run', workflowRun: 'workflow run', group: 'group', executor: 'executor', token: 'token', user: 'user', role: 'role', calendar: 'calendar', variable: 'variable', secret: 'secret', alarm: 'alarm', alarmChannel: 'alarm channel', alarmRule: 'alarm rule', channel: 'channel', rule: 'rule', silence: 'silence',
    incident: 'incident', backfill: 'backfill', bulk: 'bulk operation', audit: 'audit log', document: 'configuration document', system: 'system',
  },
}
