import { AppError, type ErrorCode, type Problem } from '@tickwheel/contract'
import { StoreAway } from '../store/database.ts'

/** An error as the caller sees it, and whether it is our fault. */
export interface Answered {
  readonly status: number
  readonly problem: Problem
  /** seconds, for `Retry-After` */
  readonly retryAfterSeconds: number | null
  readonly isUnexpected: boolean
}

/** of most calls; those that need little take less */
export const BODY_LIMIT_BYTES = 1_048_576

/** The one place that turns what was thrown into an answer. What nobody expected is told as INTERNAL, without its text. */
export function answerOf(error: unknown, bodyLimit = BODY_LIMIT_BYTES): Answered {
  if (error instanceof AppError) return told(error)
  if (error instanceof StoreAway)
    return told(
      new AppError('STORE_AWAY', 'The store cannot be reached; nothing was changed. Try again in a few seconds.', {
        params: { retryAfterSeconds: 2 },
      }),
    )
  const known = fromFramework(error, bodyLimit)
  return known === null
    ? {
        ...told(
          new AppError('INTERNAL', 'Something went wrong that nobody expected. The server log has the details under this request id.'),
        ),
        isUnexpected: true,
      }
    : told(known)
}

function told(error: AppError): Answered {
  const { code, params, errors, status } = error
  const seconds = params.retryAfterSeconds
  return {
    status,
    problem: {
      type: `urn:tickwheel:problem:${code.toLowerCase().replaceAll('_', '-')}`,
      title: titleOf(code),
      status,
      detail: error.message,
      code,
      ...(Object.keys(params).length > 0 ? { params: { ...params } } : {}),
      ...(errors.length > 0 ? { errors: [...errors] } : {}),
    },
    retryAfterSeconds: typeof seconds === 'number' ? Math.max(1, Math.ceil(seconds)) : status === 429 ? 1 : null,
    isUnexpected: false,
  }
}

function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function fromFramework(error: unknown, bodyLimit: number): AppError | null {
  if (!(error instanceof Error)) return null
  const code = 'code' in error ? error.code : undefined
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new AppError('BODY_TOO_LARGE', `The body is larger than the ${bodyLimit} bytes that this call takes.`, {
      params: { maxBytes: bodyLimit },
    })
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.')
  if (error instanceof SyntaxError || (typeof code === 'string' && code.startsWith('FST_ERR_CTP_')))
    return new AppError('MALFORMED', `The body is not valid JSON: ${error.message}`)
  if (status === 400) return new AppError('MALFORMED', error.message)
  // The file server answers 403 for a folder.
  return status === 404 || status === 403 ? new AppError('NOT_FOUND', 'There is nothing here.') : null
}
