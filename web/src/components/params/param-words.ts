import { t } from '../../locales/text.ts'
import type { ParamProblem } from './param-fields.ts'

/** A problem as a sentence. */
export function paramProblemWords({ code, facts }: ParamProblem): string {
  return t(`params.problems.${code}`, facts)
}
