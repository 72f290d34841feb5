/** An executor process for tests that kill it: `node victim.fixture.ts <server> <folder>`. */
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { createExecutor } from '../create-executor.ts'

// as `tickwheel executor` does: see cli/src/executor.ts
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--minor-gc-task-trigger=20')

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
