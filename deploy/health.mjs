// HEALTHCHECK of the image. A server is asked for the path that is named, /healthz unless told otherwise. An executor opens no port: that its process
// lives is all there is to ask, and the container ends with it.
import { readFileSync } from 'node:fs'

const path = process.argv[2] ?? '/healthz'
// 0.0.0.0 and the like mean every address of the container, loopback among them
const url = `http://127.0.0.1:${process.env.TICKWHEEL_PORT ?? '8080'}${path}`

function isExecutor() {
  // what the container was started with; under tini, with the arguments after it
  return process.platform === 'linux' && readFileSync('/proc/1/cmdline', 'utf8').split('\0').includes('executor')
}

const isWell =
  isExecutor() ||
  (await fetch(url).then(
    (answer) => answer.ok,
    () => false,
  ))
process.exitCode = isWell ? 0 : 1
