/**
 * A script for a page: what does not fit into the window, each in words. The page and its main part must not scroll sideways, and no text or control may
 * stand outside of the window or be cut by what hides it. What scrolls by itself (code, tabs, canvases, and tables in windows of less than 1280 px) may
 * be wider, and a text that ends in an ellipsis is cut on purpose.
 */
export const CUT_OFF = `(() => {
  const DESK = 1280
  const width = document.documentElement.clientWidth
  const main = document.querySelector('main')
  const found = []
  if (document.documentElement.scrollWidth > width) found.push('the page scrolls sideways')
  if (main !== null && main.scrollWidth > main.clientWidth + 1) found.push('its main part scrolls sideways')
  for (const table of document.querySelectorAll('.el-table .el-table__body-wrapper .el-scrollbar__wrap'))
    if (width >= DESK && table.scrollWidth > table.clientWidth) found.push('a table is wider than its frame by ' + (table.scrollWidth - table.clientWidth))
  const nameOf = (element) => element.tagName.toLowerCase() + '.' + [...element.classList].join('.') + ' "' + (element.textContent ?? '').trim().slice(0, 40) + '"'
  const isFree = (element) => element.closest('.el-table, .vue-flow, .cm-editor, .el-select, .el-input, .visually-hidden, .skip, .rail, .log-view .scroller') !== null
  for (const element of document.querySelectorAll('#app *')) {
    const isText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== '')
    const isControl = element.matches('button, a, input, select, textarea')
    if ((!isText && !isControl) || isFree(element) || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
    const box = element.getBoundingClientRect()
    if (box.width < 2 || box.height < 2) continue
    let right = width
    let isAllowed = false
    for (let around = element; around !== null && around !== main; around = around.parentElement) {
      const style = getComputedStyle(around)
      if (style.textOverflow === 'ellipsis' || style.position === 'fixed' || (around !== element && /auto|scroll/.test(style.overflowX))) { isAllowed = true; break }
      if (around !== element && isControl && /hidden|clip/.test(style.overflowX)) right = Math.min(right, around.getBoundingClientRect().right)
    }
    if (!isAllowed && (box.right > right + 1 || box.left < -1)) found.push(nameOf(element) + ' reaches ' + Math.round(box.right) + ' of ' + Math.round(right))
  }
  return [...new Set(found)].slice(0, 8)
})()`
