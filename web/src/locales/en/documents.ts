import type { DocumentAction, DocumentKind } from '@tickwheel/contract'

export const transfer = {
  export: {
    title: 'Export', text: 'Groups with their calendars, tasks and workflows as one file, by name: to keep beside the source, or to apply to another installation. Values of secrets are never in it, only references to them. At most {items} things in one file.',
    groups: 'Groups to export', allGroups: 'All groups', format: 'How the file is written', label: 'Export', done: 'The file is in your downloads.',
  },
  import: {
    title: 'Import', text: 'Make groups, calendars, tasks and workflows what a file says, all or nothing. What it does not name is left alone, and nothing is deleted. You see every difference before anything is changed.',
    document: 'Document, YAML or JSON', dropHint: 'Paste a document, or drop a file here', choose: 'Choose a file', tooLong: 'Larger than 1 MiB: split it by groups.',
    compare: 'Compare', apply: 'Apply {n} change | Apply {n} changes', applied: 'Applied.', problems: '{n} problem; nothing can be applied | {n} problems; nothing can be applied', line: 'Line {n}',
    askTitle: 'Apply these changes?', askText: '{create} created, {change} changed, in one transaction. What is as the document says already stays untouched.',
    leaveTitle: 'Leave without applying?', leaveText: 'The document has not been applied and will be gone from this page.', leave: 'Leave',
  },
  plan: { title: 'What would change', counts: { create: 'to create', change: 'to change', none: 'as they are', untouched: 'left alone' }, nothing: 'Everything is as the document says already.' },
  done: { title: 'What was changed', counts: { create: 'created', change: 'changed', none: 'as they were', untouched: 'left alone' } },
  actions: { create: 'To create:', change: 'To change:', none: 'As it is:' } satisfies Record<DocumentAction, string>,
  kinds: { group: 'Group', calendar: 'Calendar', task: 'Task', workflow: 'Workflow' } satisfies Record<DocumentKind, string>,
  fields: '{n} field | {n} fields', hidden: 'Also changed, but you may not see the values: {fields}', fieldsLeftOut: '{n} more field is changed. | {n} more fields are changed.', cut: 'Long values are cut off here.', open: 'Open it',
  more: 'Show {n} more', showSame: 'Show {n} that stays as it is | Show {n} that stay as they are', hideSame: 'Hide what stays as it is', untouched: '{n} in these groups is not named and left alone | {n} in these groups are not named and left alone', untouchedMore: 'and {n} more',
}
