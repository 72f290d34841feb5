import type { Locale } from '../../locales/i18n.ts'

/** What starts the program as one node of several, in a clone. */
export const NODE_COMMAND = [
  'TICKWHEEL_DATABASE_URL=mysql://USER:PASSWORD@HOST:3306/tickwheel \\',
  'TICKWHEEL_REDIS_URL=redis://HOST:6379 \\',
  'TICKWHEEL_SECRET=AT-LEAST-32-CHARACTERS \\',
  'TICKWHEEL_HOST=0.0.0.0 \\',
  'npm start',
].join('\n')

/** The example of several nodes that a clone carries. */
export const EXAMPLE_FILE = 'deploy/compose.yaml'

/** Where the clone tells about several nodes. */
export function guideFile(locale: Locale): string {
  return `docs/guide/${locale}/cluster.md`
}
