import { Problem, Registered, type Register } from '@tickwheel/contract'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { messageOf } from '../logger.ts'

export type RegisterAnswer =
  | { readonly kind: 'registered'; readonly session: Registered }
  /** a newer process has the name of this executor */
  | { readonly kind: 'superseded'; readonly detail: string }
  /** it will not get better by asking again soon: token, group or request are not accepted */
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string }

/** unknown fields are ignored: the server may be newer */
const registered = Compile(Type.Object(Registered.properties))
const problem = Compile(Problem)

/** Joins at one server; one that is older is told no more than it knows. Never throws. */
export async function register(server: string, token: string, body: Register, timeoutMs: number): Promise<RegisterAnswer> {
  const answer = await ask(server, token, body, timeoutMs)
  return answer === 'tooNew' ? judged(await ask(server, token, asOlderServersKnow(body), timeoutMs)) : answer
}

function judged(answer: RegisterAnswer | 'tooNew'): RegisterAnswer {
  return answer === 'tooNew' ? { kind: 'refused', detail: 'the server does not know the fields of this version' } : answer
}

/** What servers before schema level 4 take: they refuse fields that they do not know. */
function asOlderServersKnow({ processKey: _, handlers, ...body }: Register): Register {
  return { ...body, handlers: handlers.map(({ paramsSchema: _, ...handler }) => handler) }
}

const LATER_FIELD = /^processKey$|^handlers\.\d+\.paramsSchema$/

async function ask(server: string, token: string, body: Register, timeoutMs: number): Promise<RegisterAnswer | 'tooNew'> {
  try {
    const answer = await fetch(new URL('/api/v1/executor/register', server), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return judge(answer.status, parse(await answer.text()))
  } catch (thrown) {
    return { kind: 'unreachable', detail: messageOf(thrown) }
  }
}

function judge(status: number, body: unknown): RegisterAnswer | 'tooNew' {
  if (status === 200 && registered.Check(body)) return { kind: 'registered', session: body }
  const known = problem.Check(body) ? body : null
  const errors = known?.errors ?? []
  if (errors.length > 0 && errors.every(({ code, path }) => code === 'UNKNOWN_FIELD' && LATER_FIELD.test(path))) return 'tooNew'
  const detail = known === null ? `the server answered with status ${String(status)}` : `${known.code}: ${known.detail}`
  if (known?.code === 'EXECUTOR_SUPERSEDED') return { kind: 'superseded', detail }
  return { kind: status >= 400 && status < 500 && status !== 429 && status !== 408 ? 'refused' : 'unreachable', detail }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
