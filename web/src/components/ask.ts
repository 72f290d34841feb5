import { ElMessageBox } from 'element-plus'

export interface Question {
  readonly title: string
  /** what will be destroyed or done, by name */
  readonly text: string
  /** the word on the button that does it */
  readonly confirm: string
  readonly cancel?: string
  /** it cannot be taken back */
  readonly isDestructive?: boolean
}

/** Asks before something is done; whether it is meant. Escape and a click beside it mean no. */
export async function isMeant({ title, text, confirm, cancel, isDestructive }: Question): Promise<boolean> {
  try {
    await ElMessageBox.confirm(text, title, {
      confirmButtonText: confirm, ...(cancel === undefined ? {} : { cancelButtonText: cancel }), ...(isDestructive === true ? { confirmButtonClass: 'el-button--danger' } : {}), autofocus: false,
    })
    return true
  } catch {
    return false
  }
}
