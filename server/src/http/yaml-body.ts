import { AppError, type FieldProblem } from '@tickwheel/contract'
import { trapIn } from './nesting.ts'
import { isNode, LineCounter, parseDocument, type Document } from 'yaml'

/** A body that came as YAML, not read yet. */
export class YamlText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** References to anchors that a document may have: each could stand for a large part of it. */
const MAX_ALIASES = 100

/** A body that was read from YAML. It knows where its fields stand, so that problems can be shown in the text. */
export class YamlBody {
  readonly value: unknown
  readonly #document: Document.Parsed
  readonly #lines: LineCounter

  /** 400 `VALIDATION_FAILED` with every place where the text is no YAML. */
  constructor({ text }: YamlText) {
    this.#lines = new LineCounter()
    this.#document = documentOf(text, this.#lines)
    if (this.#document.errors.length > 0)
      throw malformed(this.#document.errors.map(({ pos, message }) => this.#syntaxProblem(pos[0], message)))
    this.value = this.#read()
  }

  /** The same problems, each with `line` and `col` (from 1) of its field in the text, or of what it would stand in. */
  located(problems: readonly FieldProblem[]): FieldProblem[] {
    return problems.map((problem) => ({ ...problem, params: { ...problem.params, ...this.#place(problem.path) } }))
  }

  #read(): unknown {
    let value: unknown
    try {
      value = this.#document.toJS({ maxAliasCount: MAX_ALIASES })
    } catch (error) {
      const message = error instanceof Error ? error.message : 'the text cannot be read'
      throw malformed([this.#syntaxProblem(0, `${message}; write it out, with at most ${MAX_ALIASES} aliases`)])
    }
    const trap = trapIn(value)
    if (trap !== null) throw malformed([this.#syntaxProblem(0, trap)])
    return value
  }

  #syntaxProblem(offset: number, message: string): FieldProblem {
    return { path: '', code: 'BAD_FORMAT', message: `is not valid YAML: ${message}`, params: { format: 'yaml', ...this.#at(offset) } }
  }

  #place(path: string): { line: number; col: number } | null {
    const steps = path === '' ? [] : path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step))
    for (let length = steps.length; length >= 0; length--) {
      const node: unknown = length === 0 ? this.#document.contents : this.#document.getIn(steps.slice(0, length), true)
      if (isNode(node) && node.range != null) return this.#at(node.range[0])
    }
    return null
  }

  #at(offset: number): { line: number; col: number } {
    const { line, col } = this.#lines.linePos(offset)
    return { line, col }
  }
}

/** Text that is nested without end overflows the stack of whoever reads it. */
function documentOf(text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, version: '1.2', schema: 'core' })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw malformed([{ path: '', code: 'BAD_FORMAT', message: 'is not valid YAML: it is nested too deep', params: { format: 'yaml' } }])
  }
}

function malformed(errors: readonly FieldProblem[]): AppError {
  const [first] = errors
  return new AppError('VALIDATION_FAILED', `The body ${first?.message ?? 'is not valid YAML'}`, { errors })
}
