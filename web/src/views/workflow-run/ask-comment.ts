import { ElMessageBox } from 'element-plus'
import { t } from '../../locales/text.ts'

export interface DecisionQuestion {
  readonly title: string
  /** what was asked when the step was drawn up */
  readonly prompt: string
  /** the word on the button */
  readonly confirm: string
  readonly isDestructive?: boolean
}

const LONGEST = 2000

/** Asks for a comment before something is decided; null: it is not meant. */
export async function askComment({ title, prompt, confirm, isDestructive }: DecisionQuestion): Promise<string | null> {
  try {
    const { value } = await ElMessageBox.prompt(prompt === '' ? t('workflowRuns.decide.commentHint') : prompt, title, {
      inputType: 'textarea', inputPlaceholder: t('workflowRuns.decide.comment'), confirmButtonText: confirm, cancelButtonText: t('workflowRuns.decide.back'), autofocus: false,
      inputValidator: (text: string | null) => (text ?? '').length <= LONGEST, inputErrorMessage: t('fields.TOO_LONG'), ...(isDestructive === true ? { confirmButtonClass: 'el-button--danger' } : {}),
    })
    return value.trim()
  } catch {
    return null
  }
}
