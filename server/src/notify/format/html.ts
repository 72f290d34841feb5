import type { Notice, NoticeBlock } from '@tickwheel/core'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const TONES = { bad: '#cf222e', good: '#1a7f37', info: '#0969da' } as const

/** A notice as the body of a mail. Styles stand on the elements, because programs for mail drop everything else. */
export function html({ subject, tone, blocks }: Notice): string {
  const rows = blocks.map(rowOf).join('\n')
  return `<!doctype html>
<html><body style="margin:0;padding:16px;font:14px/22px system-ui,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;color:#1f2328">
<div style="max-width:720px;border:1px solid #d0d7de;border-top:4px solid ${TONES[tone]};border-radius:6px;padding:16px 24px">
<h1 style="margin:0 0 12px;font-size:18px;line-height:26px;color:${TONES[tone]}">${escapeHtml(subject)}</h1>
${rows}
</div></body></html>`
}

function rowOf(block: NoticeBlock): string {
  switch (block.kind) {
    case 'text':
      return `<p style="margin:0 0 12px">${escapeHtml(block.text).replaceAll('\n', '<br>')}</p>`
    case 'fact':
      return `<p style="margin:0 0 4px"><span style="color:#57606a">${escapeHtml(block.label)}</span>&nbsp; ${escapeHtml(block.value)}</p>`
    case 'item':
      return `<p style="margin:8px 0 0;padding-left:12px;border-left:2px solid #d0d7de">${anchored(block.text, block.url)}</p>`
    case 'link':
      return `<p style="margin:16px 0 0">${anchored(block.text, block.url)}</p>`
  }
}

function anchored(text: string, url: string | null): string {
  return url === null ? escapeHtml(text) : `<a href="${escapeHtml(url)}" style="color:#2f5bea">${escapeHtml(text)}</a>`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
