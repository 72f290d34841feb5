'use strict'

/*
 * Sends itself a real SIGTERM, then, as Node.js does when one is delivered, emits a second at the same instant and a third a second
 * later. Says which it heard. Its clock stands still unless it is turned.
 */
let now = 0
performance.now = () => now
const heard = []
process.on('SIGTERM', (which) => heard.push(which))
process.once('SIGTERM', () =>
  setImmediate(() => {
    process.emit('SIGTERM', 'a repeat')
    now += 1000
    process.emit('SIGTERM', 'a second later')
    process.stdout.write(heard.join(', '))
    process.exit(0)
  }),
)
setTimeout(() => process.exit(1), 60000)
process.kill(process.pid, 'SIGTERM')
