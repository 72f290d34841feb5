/** An executor process for tests that kill it: `node victim.fixture.ts <server> <folder>`. */
import { join } from 'node:path'
import { createExecutor } from '../create-executor.ts'

const [server = '', folder = ''] = process.argv.slice(2)
const executor = createExecutor({
  server,
  appName: 'test',
  token: 'twe_test',
  name: 'one',
  builtIn: { shell: true },
  spoolDir: join(folder, 'spool'),
  workDir: folder,
})
await executor.start()
process.once('SIGTERM', () => void executor.stop().then(() => process.exit(0)))
