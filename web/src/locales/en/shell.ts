/** Frame, sign-in, password, connection, not found. */
export const shell = {
  skipToContent: 'Skip to the content',
  nav: { label: 'Main menu', dashboard: 'Dashboard', tasks: 'Tasks', workflows: 'Workflows', runs: 'Runs', executors: 'Executors', groups: 'Groups', alarms: 'Alarms', variables: 'Variables', calendars: 'Calendars', system: 'System', collapse: 'Collapse the menu', expand: 'Expand the menu', open: 'Open the menu' },
  language: 'Language',
  languages: { en: 'English', zh: '中文' },
  theme: { label: 'Theme', system: 'As the system', light: 'Light', dark: 'Dark' },
  user: { menu: 'Account', changePassword: 'Change password', apiReference: 'API reference', signOut: 'Sign out' },
  connection: { lost: 'Live updates are interrupted. Connecting again…', lostFor: 'Live updates are interrupted. Next attempt in {n} s.', now: 'Connect now', restarting: 'The server is restarting. Trying again…' },
  login: {
    title: 'Sign in', tagline: 'Tasks that run on time, and tell why when they do not.', username: 'User name', password: 'Password', submit: 'Sign in',
    firstAccount: 'First start: sign in as {user} with the password {password}, then change it.',
    fill: 'Fill in', usernameMissing: 'Enter the user name.', passwordMissing: 'Enter the password.', ended: 'Your session has ended. Sign in again to go on.',
  },
  password: {
    title: 'Change password', forced: 'This password was given to you, so others know it. Choose your own to go on.', current: 'Current password', next: 'New password', again: 'New password, again',
    rule: '8 to 128 characters; not the user name and not a password that everybody uses.', mismatch: 'The two entries differ.', tooShort: 'At least 8 characters.', missing: 'Enter the current password.',
    submit: 'Change password', done: 'Password changed. Every other session of yours has ended.',
  },
  firstPassword: { text: 'This account still has its first password, which everybody knows.', change: 'Change it', later: 'Later' },
  notFound: { title: 'There is no such page', text: 'The address may be misspelt, what it showed may have been deleted, or you may not see it.', home: 'To the start page' },
}
