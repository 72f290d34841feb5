/** Puts a text into the clipboard; whether it could. The clipboard's own interface exists on HTTPS and localhost only, so there is an older way behind it. */
export async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    return navigator.clipboard.writeText(text).then(() => true, () => false)
  }
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'visually-hidden'
  document.body.append(field)
  field.select()
  // the only way on plain HTTP
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const isCopied = document.execCommand('copy')
  field.remove()
  return isCopied
}
