import { FRAME_LIMITS, type Finished } from '@tickwheel/contract'
import type { Masker } from '@tickwheel/core'
import { messageOf } from '../logger.ts'
import { RunFailure, type StopCause } from './run.ts'

/** How a handler's work came to its end; `givenUp`: it was told to stop and did not settle within the grace. */
export type WorkEnd =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly thrown: unknown }
  | { readonly kind: 'givenUp' }
  | { readonly kind: 'neverStarted' }

export type Outcome = Pick<Finished, 'outcome' | 'result' | 'error'>

const MESSAGE_CHARS = 16_000

/** A stopped run ends as its stop says, whatever the handler made of it; any other as the handler says. */
export function outcomeOf(end: WorkEnd, stopCause: StopCause | null, timeoutMs: number): Outcome {
  if (stopCause !== null) return outcomeOfStop(stopCause, timeoutMs)
  switch (end.kind) {
    case 'returned':
      return outcomeOfValue(end.value)
    case 'threw':
      return failed(codeOf(end.thrown), messageOf(end.thrown))
    case 'givenUp':
    case 'neverStarted':
      return failed('HANDLER_ERROR', 'the run ended without a reason')
  }
}

/** An outcome without the secrets of its run. */
export function maskedOutcome({ outcome, result, error }: Outcome, masker: Masker | null): Outcome {
  if (masker === null) return { outcome, ...(result === undefined ? {} : { result }), ...(error === undefined ? {} : { error }) }
  return {
    outcome,
    ...(result === undefined ? {} : { result: masker.json(result) }),
    ...(error === undefined
      ? {}
      : {
          error: { code: masker.text(error.code), message: masker.text(error.message, { isCut: error.message.length >= MESSAGE_CHARS }) },
        }),
  }
}

function outcomeOfStop(cause: StopCause, timeoutMs: number): Outcome {
  switch (cause) {
    case 'timedOut':
      return { outcome: 'timedOut', error: { code: 'TIMED_OUT', message: `stopped at its time limit of ${String(timeoutMs)} ms` } }
    case 'canceled':
      return { outcome: 'canceled', error: { code: 'CANCELED', message: 'canceled' } }
    case 'serverLost':
      return failed('SERVER_LOST', 'the executor had no word from a server for so long that another attempt may run elsewhere')
    case 'superseded':
      return failed('SUPERSEDED', 'a newer process took over the name of this executor')
    case 'executorStopped':
      return failed('EXECUTOR_STOPPED', 'the executor was stopped before the run ended')
  }
}

function outcomeOfValue(value: unknown): Outcome {
  const encoded = encode(value)
  if (encoded.kind === 'unfit') return failed('RESULT_NOT_JSON', encoded.why)
  const bytes = Buffer.byteLength(encoded.text)
  if (bytes > FRAME_LIMITS.resultBytes)
    return failed('RESULT_TOO_LARGE', `the result has ${String(bytes)} bytes of JSON; at most ${String(FRAME_LIMITS.resultBytes)} are kept`)
  // by way of its text: the value may change after the handler returned it
  return { outcome: 'succeeded', result: JSON.parse(encoded.text) }
}

function encode(value: unknown): { readonly kind: 'text'; readonly text: string } | { readonly kind: 'unfit'; readonly why: string } {
  try {
    // stringify answers undefined for undefined, functions and symbols, whatever its type says
    const text: unknown = JSON.stringify(value)
    return { kind: 'text', text: typeof text === 'string' ? text : 'null' }
  } catch (thrown) {
    return { kind: 'unfit', why: `the result cannot be written as JSON: ${messageOf(thrown)}` }
  }
}

function failed(code: string, message: string): Outcome {
  return { outcome: 'failed', error: { code: code.slice(0, 128), message: message.slice(0, MESSAGE_CHARS) } }
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof RunFailure) return thrown.code
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
  return typeof code === 'string' && code !== '' ? code : 'HANDLER_ERROR'
}
