import { t } from '../../locales/text.ts'
import { statusesOf, type HandlerForm, type TaskForm } from './task-form.ts'

/** What is missing before it is sent: `{ name: 'sentence' }` by the API's paths. Everything else is the server's to judge. */
export function checkForm(form: TaskForm): Record<string, string> {
  const wrong: Record<string, string> = { ...checkHandler(form.handler) }
  if (form.name.trim() === '') wrong['name'] = t('editor.missing.name')
  else if (form.name.includes('/')) wrong['name'] = t('editor.missing.slash')
  if (form.groupId === null) wrong['groupId'] = t('editor.missing.groupId')
  if (form.schedule.kind === 'cron' && form.schedule.expression.trim() === '') wrong['schedule.expression'] = t('editor.missing.expression')
  if (form.schedule.kind === 'once' && form.schedule.at === null) wrong['schedule.at'] = t('editor.missing.at')
  return wrong
}

function checkHandler(handler: HandlerForm): Record<string, string> {
  switch (handler.kind) {
    case 'shell':
      return handler.script.trim() === '' ? { 'handler.script': t('editor.missing.script') } : {}
    case 'script':
      return handler.source.trim() === '' ? { 'handler.source': t('editor.missing.script') } : {}
    case 'named':
      return handler.name.trim() === '' ? { 'handler.name': t('editor.missing.function') } : {}
    case 'http':
      return {
        ...(/^(https?:\/\/\S+|\$\{\{\s*(vars|secrets)\.)/.test(handler.url.trim()) ? {} : { 'handler.url': t('editor.missing.url') }),
        ...(statusesOf(handler.expectStatus) === null ? { 'handler.expectStatus': t('editor.statusBad') } : {}),
      }
  }
}
