import { AppError, readYaml, type FieldProblem, type YamlProblem, type YamlReading } from '@tickwheel/contract'
import { trapIn } from './nesting.ts'
import { BODY_LIMIT_BYTES } from './problem.ts'

/** A body that came as YAML, not read yet. */
export class YamlText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A body that was read from YAML. It knows where its fields stand, so that problems can be shown in the text. */
export class YamlBody {
  readonly value: unknown
  readonly #placeOf: Extract<YamlReading, { kind: 'value' }>['positionOf']

  /** 400 `VALIDATION_FAILED` with every place where the text is no YAML. */
  constructor({ text }: YamlText) {
    const read = readYaml(text, { maxCharacters: BODY_LIMIT_BYTES })
    if (read.kind === 'problems') throw malformed(read.problems)
    const trap = trapIn(read.value)
    if (trap !== null) throw malformed([{ message: trap, line: 1, col: 1 }])
    this.value = read.value
    this.#placeOf = read.positionOf
  }

  /** The same problems, each with `line` and `col` (from 1) of its field in the text, or of what it would stand in. */
  located(problems: readonly FieldProblem[]): FieldProblem[] {
    return problems.map((problem) => ({ ...problem, params: { ...problem.params, ...this.placeOf(problem.path) } }))
  }

  placeOf(path: string): { readonly line: number; readonly col: number } {
    return this.#placeOf(path, 'value')
  }
}

function malformed(problems: readonly Omit<YamlProblem, 'path'>[]): AppError {
  const errors = problems.map(({ message, line, col }) => ({
    path: '',
    code: 'BAD_FORMAT',
    message: `is not valid YAML: ${message}`,
    params: { format: 'yaml', line, col },
  }))
  return new AppError('VALIDATION_FAILED', `The body ${errors[0]?.message ?? 'is not valid YAML'}`, { errors })
}
