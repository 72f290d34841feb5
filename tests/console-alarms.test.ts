import { createHmac } from 'node:crypto'
import type { AlarmChannel, AlarmDelivery, Incident } from '@tickwheel/contract'
import { createExecutor } from '@tickwheel/executor'
import { expect, it, onTestFinished } from 'vitest'
import { HttpReceiver } from '../server/src/notify/receivers.fixture.ts'
import { describeConsole } from './kit/console.ts'
import { executorToken } from './kit/runs.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const SECRET = 'a-secret-to-sign-with'

describeConsole('alarms in the console', { path: '/alarm', env: { TICKWHEEL_PUBLIC_URL: 'https://tickwheel.example' } }, (test) => {
  it('tell a failure through a channel and a rule that were made there, and let it be acknowledged', async () => {
    const { page, server, admin, complaints } = test
    const receiver = await HttpReceiver.open()
    onTestFinished(async () => receiver.close())
    receiver.answer = () => ({ status: 200, body: 'thanks' })
    const spoolDir = makeDir()
    const executor = createExecutor({ server: server.url, appName: 'default', token: await executorToken(admin), name: 'e', spoolDir })
    executor.handle('settle', () => Promise.reject(new Error('no connection to 10.0.0.7:3306')))
    await executor.start()
    onTestFinished(async () => {
      await executor.stop({ graceMs: 0 })
      removeDir(spoolDir)
    })

    await page.getByText('No rule watches yet').waitFor()
    await page.getByRole('link', { name: 'Channels' }).click()
    await page.getByRole('button', { name: 'New channel' }).first().click()
    const channel = page.getByRole('dialog', { name: 'New channel' })
    await channel.getByText('Webhook', { exact: true }).click()
    await channel.getByLabel('Name', { exact: true }).fill('hook')
    await channel.getByLabel('Address').fill(`${receiver.url}/alarm`)
    await channel.getByLabel('Signing secret').fill(SECRET)
    await channel.getByText('Failed: settle').waitFor()
    await channel.getByRole('button', { name: 'Save and test' }).click()
    await receiver.has(1)
    expect(receiver.received[0]?.body).toContain('Test message from Tickwheel')
    await page.getByRole('row', { name: /hook.*Webhook.*works/ }).waitFor()
    const [made] = (await admin.get<{ items: AlarmChannel[] }>('/alarm/channel')).items
    expect(made?.settings).toMatchObject({ kind: 'webhook', secret: '***' })

    await page.getByRole('link', { name: 'Rules' }).click()
    await page.getByRole('button', { name: 'New rule' }).first().click()
    const rule = page.getByRole('dialog', { name: 'New alarm rule' })
    await rule.getByLabel('Name', { exact: true }).fill('whatever fails')
    await rule.getByLabel('Tells through').click({ force: true })
    await page.getByRole('option', { name: /hook/ }).click()
    await rule.getByLabel('Name', { exact: true }).click()
    await rule.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('row', { name: /whatever fails.*Everything.*a run fails.*hook/ }).waitFor()

    const task = await admin.post<{ id: number }>('/task', {
      groupId: 1,
      name: 'settle',
      schedule: { kind: 'manual' },
      handler: { kind: 'named', name: 'settle' },
    })
    // a rule watches what ends a second after it was made
    const fail = async () => {
      await admin.post(`/task/${String(task.id)}/trigger`, {})
      return receiver.received.length > 1
    }
    await waitFor(fail, { what: 'the failure to be told', everyMs: 300 })
    const told = receiver.received[1] ?? { headers: {}, body: '{}' }
    const headers: Readonly<Record<string, unknown>> = told.headers
    const at = String(headers['x-tickwheel-timestamp'])
    expect(headers['x-tickwheel-signature']).toBe(`v1=${createHmac('sha256', SECRET).update(`${at}.${told.body}`).digest('hex')}`)
    expect(JSON.parse(told.body)).toMatchObject({
      kind: 'opened',
      event: 'failed',
      subject: expect.stringContaining('Failed: settle') as string,
      target: { kind: 'task', id: task.id },
    })
    expect(told.body).toContain('no connection to 10.0.0.7:3306')
    expect(told.body).toContain('https://tickwheel.example/alarm/incident/')

    await page.getByRole('link', { name: 'Incidents' }).click()
    await page
      .getByRole('row', { name: /Open.*Failed.*settle/ })
      .getByRole('link', { name: 'Failed' })
      .click()
    const incident = page.getByRole('dialog', { name: /Incident/ })
    await incident
      .getByRole('link', { name: /^#\d+$/ })
      .first()
      .waitFor()
    await incident.getByRole('button', { name: 'Acknowledge' }).click()
    await incident.getByText('Acknowledged by admin').waitFor()
    const state = async () => (await admin.get<{ items: Incident[] }>('/alarm/incident')).items[0]?.state
    expect(await state()).toBe('acknowledged')

    await incident.getByRole('link', { name: 'Messages about it' }).click()
    await page
      .getByRole('row', { name: /Sent.*Failed: settle.*hook/ })
      .first()
      .waitFor()
    const sent = async () => (await admin.get<{ items: AlarmDelivery[] }>('/alarm/delivery')).items.at(-1)?.state === 'sent'
    await waitFor(sent, { what: 'the delivery to be written down' })
    expect(complaints()).toEqual([])
  })
})
