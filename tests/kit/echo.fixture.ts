/** A program that says that it stands, and ends with 3 when it is asked to stop. */
const timer = setInterval(() => undefined, 1000)
process.once('SIGTERM', () => {
  clearInterval(timer)
  process.exitCode = 3
})
process.stdout.write(`standing with ${String(process.env['TICKWHEEL_PORT'])}\n`)
