/**
 * What a workflow is made of. One shape serves API, YAML, editor and engine; `contract` has the schema of each part, and a test keeps both alike.
 * Texts that start with `=` are expressions where the field says so (`expression.ts`).
 */
import type { RetryPolicy } from '../instance/retry.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** at most, in one workflow */
export const WORKFLOW_LIMITS = {
  steps: 1000,
  edges: 5000,
  bytes: 1_048_576,
  depth: 5,
  items: 10_000,
  defaultItems: 1000,
  /** the output of a step as JSON, but for a fan-out; what an expression gives */
  resultBytes: 65_536,
  /** the output of a fan-out as JSON: above, it comes without its `items` */
  itemsBytes: 262_144,
} as const

export const STEP_KINDS = ['task', 'subWorkflow', 'condition', 'switch', 'wait', 'approval', 'fanOut'] as const
export type StepKind = (typeof STEP_KINDS)[number]
export const EDGE_ON = ['success', 'failure', 'always', 'branch'] as const
export type EdgeOn = (typeof EDGE_ON)[number]
export const JOIN_RULES = ['all', 'any', 'allDone'] as const
export type Join = (typeof JOIN_RULES)[number] | { readonly atLeast: number }
export const ON_FAILURE = ['finish', 'stop'] as const
export const ON_EXPIRE = ['reject', 'fail'] as const
export const FAN_OUT_FAILURES = ['stop', 'collect'] as const

/** A task defined in place: what a task's definition calls so. `Inline` is the contract's type of it. */
export interface InlineTask {
  readonly handler: object
  readonly routing?: string
  readonly sharding?: object
  readonly labels?: Readonly<Record<string, string>>
}

interface StepBase {
  /** `^[a-z][a-zA-Z0-9_]{0,63}$`, unique, no reserved word of CEL */
  readonly key: string
  readonly name?: string
  /** default `all` */
  readonly join?: Join
  /** as a task's, and in place of them */
  readonly retry?: Partial<RetryPolicy> & { readonly max: number }
  readonly timeoutMs?: number
  /** its edges see a success; the state stays `failed` */
  readonly continueOnFailure?: boolean
  /** counts as succeeded with output null; not for kinds with branches */
  readonly disabled?: boolean
}

/** What runs a task: `task` is "group/name"; exactly one of the two is given. `input`: an object of values and expressions that becomes the params, as JSON. */
export interface TaskWork {
  readonly kind: 'task'
  readonly task?: string
  readonly inline?: InlineTask
  readonly input?: JsonObject
}
export interface SubWorkflowWork {
  readonly kind: 'subWorkflow'
  /** "group/name" */
  readonly workflow: string
  readonly input?: JsonObject
}
export type TaskStep = StepBase & TaskWork
export type SubWorkflowStep = StepBase & SubWorkflowWork
export type ConditionStep = StepBase & { readonly kind: 'condition'; readonly when: string }
export type SwitchStep = StepBase & {
  readonly kind: 'switch'
  readonly cases: readonly { readonly branch: string; readonly when: string }[]
}
/** Exactly one of `forMs`, `until`, `upstream`. */
export type WaitStep = StepBase & {
  readonly kind: 'wait'
  readonly forMs?: number
  /** an RFC 3339 instant, or an expression that gives one */
  readonly until?: string
  readonly upstream?: Upstream
  readonly maxMs?: number
}
/** A success of another task or workflow ("group/name", one of the two) of the same business date. `date`: `YYYY-MM-DD` or an expression; default `=run.date`. */
export interface Upstream {
  readonly task?: string
  readonly workflow?: string
  readonly date?: string
}
export type ApprovalStep = StepBase & {
  readonly kind: 'approval'
  readonly prompt: string
  readonly expiresMs?: number
  /** default `fail` */
  readonly onExpire?: (typeof ON_EXPIRE)[number]
  readonly notByStarter?: boolean
}
export type FanOutStep = StepBase & {
  readonly kind: 'fanOut'
  /** a list, or an expression that gives one */
  readonly items: string | readonly Json[]
  /** default 1,000, at most 10,000 */
  readonly maxItems?: number
  /** children at once; 0 or absent: no limit */
  readonly concurrency?: number
  readonly each: TaskWork | SubWorkflowWork
  /** default `stop` */
  readonly failures?: (typeof FAN_OUT_FAILURES)[number]
}
export type Step = TaskStep | SubWorkflowStep | ConditionStep | SwitchStep | WaitStep | ApprovalStep | FanOutStep

export interface Edge {
  readonly from: string
  readonly to: string
  /** default `success` */
  readonly on?: EdgeOn
  readonly branch?: string
  /** an expression that gives a boolean: narrows the edge further */
  readonly when?: string
}

/** The part of a workflow's definition that a task's does not have. The order of steps and edges has no meaning; a step's number is its place. */
export interface Graph {
  /** JSON Schema of an object: what a start gives; null: any object */
  readonly paramsSchema?: JsonObject | null
  readonly steps: readonly Step[]
  readonly edges: readonly Edge[]
  /** steps of one run at the same time; 0 or absent: no limit */
  readonly stepConcurrency?: number
  /** default `finish` */
  readonly onFailure?: (typeof ON_FAILURE)[number]
  readonly outputs?: JsonObject
  readonly layout?: Readonly<Record<string, { readonly x: number; readonly y: number }>>
}
