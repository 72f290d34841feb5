'use strict'

/* Says which stop signals it hears. Its clock stands still; SIGUSR2 turns it by a second. Ends when its standard input ends. */
let now = 0
performance.now = () => now
process.on('SIGUSR2', () => {
  now += 1000
  process.stdout.write('a second later\n')
})
let heard = 0
process.on('SIGTERM', () => {
  heard += 1
  process.stdout.write('heard ' + heard + '\n')
})
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
process.stdout.write('standing\n')
