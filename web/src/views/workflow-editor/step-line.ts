/** What a step does, in one line, for its node on the canvas. */
import type { Step } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'
import { formatDuration } from '../../utils/duration.ts'
import type { StepKind } from './step-kinds.ts'

type Work = Extract<Step, { kind: 'fanOut' }>['each']

export function stepLine(step: Step): string {
  switch (step.kind) {
    case 'task':
    case 'subWorkflow':
      return workLine(step)
    case 'condition':
      return step.when === '' ? t('workflows.editor.lines.noWhen') : step.when
    case 'switch':
      return t('workflows.editor.lines.cases', { n: step.cases.length })
    case 'wait':
      return waitLine(step)
    case 'approval':
      return step.prompt === '' ? t('workflows.editor.lines.noPrompt') : step.prompt
    case 'fanOut':
      return typeof step.items === 'string' && step.items === '' ? t('workflows.editor.lines.noItems') : t('workflows.editor.lines.each', { what: workLine(step.each), items: itemsWords(step.items) })
  }
}

function workLine(work: Work): string {
  if (work.kind === 'subWorkflow') return work.workflow === '' ? t('workflows.editor.lines.noWorkflow') : work.workflow
  if (work.inline === undefined) return work.task === undefined || work.task === '' ? t('workflows.editor.lines.noTask') : work.task
  switch (work.inline.handler.kind) {
    case 'shell':
      return t('workflows.editor.lines.inlineShell')
    case 'script':
      return t('workflows.editor.lines.inlineScript')
    case 'http':
      return t('workflows.editor.lines.inlineHttp')
    case 'named':
      return t('workflows.editor.lines.inlineNamed', { name: work.inline.handler.name })
  }
}

function waitLine({ forMs, until, upstream }: Extract<Step, { kind: 'wait' }>): string {
  if (forMs !== undefined) return t('workflows.editor.lines.for', { span: formatDuration(forMs) })
  if (until !== undefined) return t('workflows.editor.lines.until', { at: until })
  const name = upstream?.task ?? upstream?.workflow ?? ''
  return name === '' ? t('workflows.editor.lines.noWait') : t('workflows.editor.lines.upstream', { name })
}

function itemsWords(items: Extract<Step, { kind: 'fanOut' }>['items']): string {
  return typeof items === 'string' ? items.replace(/^=/, '') : t('workflows.editor.lines.items', { n: items.length })
}


export function kindWords(kind: StepKind): string {
  return t(`workflows.editor.kinds.${kind}`)
}
