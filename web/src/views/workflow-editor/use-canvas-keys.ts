import { onBeforeUnmount } from 'vue'
import { keyAction, type KeyAction } from './key-actions.ts'

export interface CanvasKeys {
  readonly act: (action: KeyAction) => void
  /** what to put on the clipboard; null: nothing of ours */
  readonly copy: () => string | null
  readonly cut: () => void
  readonly paste: (text: string) => void
}

/** Keys and clipboard of the whole page for as long as it lives; fields keep theirs, and so do menus and dialogs. */
export function useCanvasKeys(keys: CanvasKeys): void {
  function onKey(event: KeyboardEvent): void {
    const action = keyAction(event, isTyping(event.target))
    if (action === null || event.defaultPrevented || (action.kind !== 'save' && isElsewhere(event.target))) return
    event.preventDefault()
    keys.act(action)
  }
  function onCopy(event: ClipboardEvent): void {
    if (isTyping(event.target) || hasTextChosen()) return
    const text = keys.copy()
    if (text === null) return
    event.clipboardData?.setData('text/plain', text)
    event.preventDefault()
    if (event.type === 'cut') keys.cut()
  }
  function onPaste(event: ClipboardEvent): void {
    if (isTyping(event.target) || isElsewhere(event.target)) return
    event.preventDefault()
    keys.paste(event.clipboardData?.getData('text/plain') ?? '')
  }

  window.addEventListener('keydown', onKey)
  document.addEventListener('copy', onCopy)
  document.addEventListener('cut', onCopy)
  document.addEventListener('paste', onPaste)
  onBeforeUnmount(() => {
    window.removeEventListener('keydown', onKey)
    document.removeEventListener('copy', onCopy)
    document.removeEventListener('cut', onCopy)
    document.removeEventListener('paste', onPaste)
  })
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

/** A drawer, a dialog or a menu is open above the page. */
function isElsewhere(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('.el-overlay, .el-popper') !== null
}

function hasTextChosen(): boolean {
  return (document.getSelection()?.toString() ?? '') !== ''
}
