/** The command palette and the keys. */
export const palette = {
  open: 'Search or jump to…', label: 'Search, or go to a page', placeholder: 'Search, or go to a page…', list: 'Results', nothing: 'Nothing is called “{text}”.', found: 'No results | {n} result | {n} results',
  sections: { recent: 'Seen lately', pages: 'Pages', actions: 'Actions', task: 'Tasks', workflow: 'Workflows', run: 'Runs', workflowRun: 'Workflow runs', executor: 'Executors', calendar: 'Calendars', group: 'Groups', user: 'Users' },
  kinds: { task: 'Task', workflow: 'Workflow', run: 'Run', workflowRun: 'Workflow run' },
  theme: { light: 'Light theme', dark: 'Dark theme', system: 'Theme as the system' },
  language: { en: 'Switch to English', zh: '切换到中文' },
  hints: { choose: 'choose', open: 'open', more: 'Also: group/name, #number of a run' },
}

export const keyboard = {
  title: 'Keyboard shortcuts', then: 'then', close: 'Close', off: 'Keys of one letter are off. They are switched on in your account.',
  parts: { anywhere: 'Anywhere', go: 'Go to', list: 'On a page' },
  palette: 'Search, or go to a page', help: 'These keys', filter: 'To the filter of the page', create: 'New entry', next: 'Next row', previous: 'Row before', openRow: 'Open the row', escape: 'Close what is open',
  account: { title: 'Keyboard', label: 'Keys of one letter', hint: 'Such as “g t” for the tasks, “n” for a new one and “/” for the filter. Off: only keys with Ctrl or Cmd do something, so that voice control and the like trigger nothing.', show: 'All keys' },
}
