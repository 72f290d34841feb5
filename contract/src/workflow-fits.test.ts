import { WORKFLOW_PROBLEM_CODES, type Edge, type Graph, type Json, type Step, type StepKind } from '@tickwheel/core'
import { expect, expectTypeOf, it } from 'vitest'
import { FIELD_CODES } from './constants.ts'
import type { Edge as EdgeOfContract, Step as StepOfContract, WorkflowCreate } from './workflows.ts'

/** What a schema says of a value, as core says it: read-only, and JSON where the schema does not look. */
type Plain<Value> = unknown extends Value
  ? Json
  : Value extends readonly (infer Part)[]
    ? readonly Plain<Part>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Plain<Value[Key]> }
      : Value

type FieldsOf<Steps, Kind> = keyof Extract<Steps, { kind: Kind }>
type Differing = { [Kind in StepKind]: Exclude<FieldsOf<Step, Kind>, FieldsOf<StepOfContract, Kind>> }[StepKind]

it('what the schemas of a workflow take is what core decides about, field by field', () => {
  expectTypeOf<Plain<StepOfContract>>().toExtend<Step>()
  expectTypeOf<Plain<EdgeOfContract>>().toExtend<Edge>()
  expectTypeOf<Edge>().toExtend<EdgeOfContract>()
  expectTypeOf<Plain<Pick<WorkflowCreate, keyof Graph>>>().toExtend<Graph>()
  expectTypeOf<StepOfContract['kind']>().toEqualTypeOf<Step['kind']>()
  // Nothing that core knows is missing in the schema: such a field could never be given.
  expectTypeOf<Differing>().toEqualTypeOf<never>()
})

it('every problem that core finds in a workflow has a field code with a text', () => {
  const known: readonly string[] = FIELD_CODES
  expect(WORKFLOW_PROBLEM_CODES.filter((code) => !known.includes(code))).toEqual([])
})
