import type { WorkflowCreate } from '@tickwheel/contract'
import type { Work } from './work.ts'

/** A workflow of the demo; group by its appName. */
export interface DemoWorkflow {
  readonly app: string
  readonly workflow: Omit<WorkflowCreate, 'groupId'>
}

const SHANGHAI = 'Asia/Shanghai'
const at = (x: number, y: number): { x: number; y: number } => ({ x, y })

/** What steps that are defined in place run: by the name of their handler. */
export const STEP_WORKS: Readonly<Record<string, Work>> = {
  'release.build': { ms: [40_000, 120_000], says: ['npm ci', 'npm run build', '{n} modules'], failsOneIn: 20 },
  'release.test': {
    ms: [60_000, 200_000],
    says: ['{n} tests passed'],
    failsOneIn: 10,
    error: { code: 'TESTS_FAILED', message: '2 of 1184 tests failed' },
  },
  'release.deploy': { ms: [20_000, 60_000], says: ['canary 10 %', 'canary 50 %', '100 %'] },
  'release.notify': { ms: [500, 2_000], says: ['posted to #releases'] },
  'region.report': { ms: [8_000, 40_000], says: ['{n} rows'], failsOneIn: 40 },
}

const inline = (name: string) => ({ inline: { handler: { kind: 'named' as const, name } } })

export const WORKFLOWS: readonly DemoWorkflow[] = [
  {
    app: 'data-platform',
    workflow: {
      name: '每日订单入仓',
      description: '抽取、校验、装载；装载失败时自动修复后继续。',
      owner: '数据平台值班',
      tags: ['etl', '日批'],
      enabled: true,
      schedule: { kind: 'cron', expression: '0 10 1,7,13,19 * * ?', timezone: SHANGHAI },
      steps: [
        { key: 'extract', name: '抽取订单', kind: 'task', task: '数据平台/抽取订单' },
        { key: 'enough', name: '有数据吗', kind: 'condition', when: 'steps.extract.output.rows > 0' },
        { key: 'load', name: '装载', kind: 'task', task: '数据平台/装载数仓', retry: { max: 0 } },
        { key: 'repair', name: '修复装载', kind: 'task', task: '数据平台/修复装载' },
        { key: 'check', name: '质量检查', kind: 'task', task: '数据平台/数据质量检查', continueOnFailure: true },
        { key: 'report', name: '发送日报', kind: 'task', task: '数据平台/发送数仓日报' },
      ],
      edges: [
        { from: 'extract', to: 'enough' },
        { from: 'enough', to: 'load', on: 'branch', branch: 'true' },
        { from: 'enough', to: 'report', on: 'branch', branch: 'false' },
        { from: 'load', to: 'repair', on: 'failure' },
        { from: 'load', to: 'check' },
        { from: 'repair', to: 'check' },
        { from: 'check', to: 'report' },
      ],
      layout: {
        extract: at(0, 80),
        enough: at(320, 80),
        load: at(640, 40),
        repair: at(960, 160),
        check: at(1280, 40),
        report: at(1600, 80),
      },
    },
  },
  {
    app: 'growth',
    workflow: {
      name: 'release of the storefront',
      description: 'Build, test, ask, deploy.',
      tags: ['release'],
      schedule: { kind: 'manual' },
      paramsSchema: { type: 'object', properties: { version: { type: 'string', default: '2026.47.1' } } },
      steps: [
        { key: 'build', name: 'Build', kind: 'task', ...inline('release.build') },
        { key: 'test', name: 'Test', kind: 'task', ...inline('release.test'), retry: { max: 1, delayMs: 5_000 } },
        {
          key: 'approve',
          name: 'Go or no go',
          kind: 'approval',
          prompt: 'Release the storefront to all customers?',
          expiresMs: 86_400_000,
        },
        { key: 'deploy', name: 'Deploy', kind: 'task', ...inline('release.deploy') },
        { key: 'settle', name: 'Watch it for a while', kind: 'wait', forMs: 120_000 },
        { key: 'notify', name: 'Tell everybody', kind: 'task', join: 'any', ...inline('release.notify') },
      ],
      edges: [
        { from: 'build', to: 'test' },
        { from: 'test', to: 'approve' },
        { from: 'approve', to: 'deploy', on: 'branch', branch: 'approved' },
        { from: 'approve', to: 'notify', on: 'branch', branch: 'rejected' },
        { from: 'deploy', to: 'settle' },
        { from: 'settle', to: 'notify' },
      ],
      layout: { build: at(0, 60), test: at(320, 60), approve: at(640, 60), deploy: at(960, 0), settle: at(1280, 0), notify: at(1600, 60) },
    },
  },
  {
    app: 'growth',
    workflow: {
      name: 'regional reports',
      enabled: true,
      schedule: { kind: 'cron', expression: '0 0 6 * * ?', timezone: 'UTC' },
      stepConcurrency: 4,
      steps: [
        {
          key: 'regions',
          name: 'One for each region',
          kind: 'fanOut',
          items: ['cn', 'de', 'fr', 'us', 'br', 'jp'],
          concurrency: 3,
          failures: 'collect',
          each: { kind: 'task', ...inline('region.report') },
        },
        { key: 'mail', name: 'Send', kind: 'task', ...inline('release.notify') },
      ],
      edges: [{ from: 'regions', to: 'mail' }],
      layout: { regions: at(0, 60), mail: at(320, 60) },
    },
  },
]
