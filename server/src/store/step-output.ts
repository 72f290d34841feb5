import { AppError } from '@tickwheel/contract'
import { WORKFLOW_LIMITS } from '@tickwheel/core'

/** The output that a person gives a step, as it is stored. 422 above 64 KiB, naming the field (`path`). */
export function outputText(output: unknown, path: string): string | null {
  if (output === undefined || output === null) return null
  const text = JSON.stringify(output)
  if (Buffer.byteLength(text) <= WORKFLOW_LIMITS.resultBytes) return text
  const message = `an output is at most ${WORKFLOW_LIMITS.resultBytes} bytes as JSON: give the address of what is larger`
  throw new AppError('UNPROCESSABLE', message, { errors: [{ path, code: 'TOO_LARGE', message }] })
}
