import type { StepDetail, Workflow, WorkflowCreate, WorkflowRun } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { describeConsole } from './kit/console.ts'
import { homeGroup } from './kit/runs.ts'

type Step = WorkflowCreate['steps'][number]

const shell = (key: string, script: string): Step => ({ key, kind: 'task', inline: { handler: { kind: 'shell', script } } })

describeConsole('the console, for runs of workflows', {}, (test) => {
  async function save(name: string, steps: Step[], edges: WorkflowCreate['edges']): Promise<Workflow> {
    return test.admin.post<Workflow>('/workflow', {
      groupId: await homeGroup(test.admin),
      name,
      schedule: { kind: 'manual' },
      steps,
      edges,
    })
  }
  async function begin(workflowId: number): Promise<number> {
    return (await test.admin.post<{ workflowRunId: number }>(`/workflow/${String(workflowId)}/trigger`, {})).workflowRunId
  }
  const step = (name: string) => test.page.getByRole('region', { name: 'Steps of the run' }).getByRole('button', { name })
  const panel = (key: string) => test.page.getByRole('complementary', { name: `Step ${key}` })

  it('shows the step that failed and its log, and goes on from it when the definition is mended', async () => {
    const steps = [shell('extract', 'echo extracted'), shell('load', 'echo the table is locked; exit 3'), shell('report', 'echo reported')]
    const edges = [
      { from: 'extract', to: 'load' },
      { from: 'load', to: 'report' },
    ]
    const workflow = await save('nightly orders', steps, edges)
    const runId = await begin(workflow.id)
    await test.page.goto(`/workflow-run/${String(runId)}`)
    await step('Step report: Skipped').waitFor()
    await step('Step extract: Succeeded').waitFor()
    await step('Step load: Failed').click()
    await panel('load').getByText('exit code 3').waitFor()
    await panel('load').getByText('the table is locked').waitFor()

    const now = await test.admin.get<Workflow>(`/workflow/${String(workflow.id)}`)
    const { groupId, name, schedule, version } = now
    const mended = steps.map((one) => (one.key === 'load' ? shell('load', 'echo loaded') : one))
    await test.admin.put<Workflow>(`/workflow/${String(workflow.id)}`, { groupId, name, schedule, version, steps: mended, edges })
    await test.page.getByRole('button', { name: 'Run again from failure…' }).click()
    const dialog = test.page.getByRole('dialog')
    await dialog.getByText('Version 2, the latest').waitFor()
    await dialog.getByText('load, report', { exact: true }).waitFor()
    await dialog.getByText('extract', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Start the new run' }).click()
    await test.page.waitForURL((url) => url.pathname !== `/workflow-run/${String(runId)}`)
    await step('Step report: Succeeded').waitFor()
    await step('Step extract: Succeeded')
      .getByText(`Kept from run #${String(runId)}`)
      .waitFor()
    await test.page
      .getByRole('link', { name: `#${String(runId)}` })
      .first()
      .waitFor()

    // from a step to the run of its task, and back
    await step('Step load: Succeeded').click()
    await panel('load').getByText('loaded').waitFor()
    await panel('load')
      .getByRole('link', { name: /^Open the run/ })
      .click()
    await test.page.getByRole('link', { name: /^Step load of the run #\d+ of nightly orders/ }).waitFor()
    expect(test.complaints()).toEqual([])
  })

  it('asks for approval, and goes on when it is given', async () => {
    const { id } = await save(
      'with a question',
      [{ key: 'check', kind: 'approval', prompt: 'Send the bills?' }, shell('send', 'echo sent'), shell('give_up', 'echo not sent')],
      [
        { from: 'check', to: 'send', on: 'branch', branch: 'approved' },
        { from: 'check', to: 'give_up', on: 'branch', branch: 'rejected' },
      ],
    )
    const runId = await begin(id)
    await test.page.goto(`/workflow-run/${String(runId)}`)
    await test.page.getByRole('button', { name: 'Pause' }).click()
    await test.page.getByText('Paused: what runs ends').waitFor()
    await test.page.getByRole('button', { name: 'Resume' }).click()
    await test.page.getByText('Step check waits for approval.').waitFor()
    await test.page.getByRole('button', { name: 'Show the step' }).click()
    await panel('check').getByRole('button', { name: 'Approve' }).click()
    const dialog = test.page.getByRole('dialog')
    await dialog.getByText('Send the bills?').waitFor()
    await dialog.getByRole('textbox').fill('looked at, fine')
    await dialog.getByRole('button', { name: 'Approve' }).click()
    await step('Step send: Succeeded').waitFor()
    await step('Step give_up: Skipped').waitFor()
    await panel('check')
      .getByText(/^Approved by admin.*looked at, fine$/)
      .waitFor()
    const detail = await test.admin.get<StepDetail>(`/workflow-run/${String(runId)}/step/check`)
    expect(detail.step.decidedBy).toMatchObject({ decision: 'approved', comment: 'looked at, fine', actor: { name: 'admin' } })
    expect(test.complaints()).toEqual([])
  })

  it('marks a step as done, and lists runs and their steps', async () => {
    const { id } = await save(
      'stuck',
      [shell('hang', 'exec tail -f /dev/null'), shell('after', 'echo after')],
      [{ from: 'hang', to: 'after' }],
    )
    const runId = await begin(id)
    await test.page.goto(`/workflow-run/${String(runId)}?view=table&step=hang`)
    await panel('hang').getByText('Running').waitFor()
    await panel('hang').getByRole('button', { name: 'Mark as done…' }).click()
    const dialog = test.page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Output' }).fill('{ "rows": 7 }')
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('done by hand')
    await dialog.getByRole('button', { name: 'Mark as done' }).click()
    await panel('hang')
      .getByText(/^Marked as done by admin/)
      .waitFor()
    await test.page.getByRole('table').getByRole('row').filter({ hasText: 'after' }).getByText('Succeeded').waitFor()
    const run = await test.admin.get<WorkflowRun>(`/workflow-run/${String(runId)}`)
    expect(run.stepRuns.map(({ key, state }) => [key, state])).toEqual([
      ['hang', 'succeeded'],
      ['after', 'succeeded'],
    ])
    await test.page.goto('/workflow-run')
    await test.page.getByRole('row').filter({ hasText: 'stuck' }).getByText('2/2').waitFor()
    expect(test.complaints()).toEqual([])
  })
})
