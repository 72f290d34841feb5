import type { TaskCreate } from '@tickwheel/contract'
import { WORKDAYS } from './company.ts'
import type { Work } from './work.ts'

/** A task of the demo, and how its runs go. */
export interface DemoTask {
  /** appName of its group */
  readonly app: string
  readonly task: Omit<TaskCreate, 'groupId'>
  readonly work: Work
  /** the calendar that its cron keeps to, by name */
  readonly calendar?: string
  /** made so many days ago; default: 30 */
  readonly daysOld?: number
}

const SHANGHAI = 'Asia/Shanghai'
const cron = (expression: string, timezone = SHANGHAI) => ({ kind: 'cron' as const, expression, timezone })
const every = (everyMs: number) => ({ kind: 'fixedRate' as const, everyMs })
const unix = (expression: string, timezone: string) => ({ kind: 'cron' as const, expression, timezone, dialect: 'unix' as const })
const named = (name: string) => ({ kind: 'named' as const, name })
const shell = (script: string) => ({ kind: 'shell' as const, script })
const seconds = (from: number, to: number) => [from * 1000, to * 1000] as const

const BACKUP = `#!/bin/sh
set -e
echo "dumping tickwheel to /backup/$(date +%F).sql.gz from $DB_HOST"
for table in user orders order_item payment refund audit; do
  echo "  $table: 48213 rows"
  sleep 1
done
echo "done, 214 MB"`

const REBUILD = `printf '\\033[1mrebuilding the index products-v7\\033[0m\\n'
n=0
while [ $n -lt 6000 ]; do
  n=$((n + 1))
  case $((n % 40)) in
    0) printf '\\033[33mWARN\\033[0m  shard %d answered slowly (812 ms), backing off\\n' $((n % 8)) >&2 ;;
    7) printf '\\033[36mINFO\\033[0m  批次 %d 已写入，耗时 \\033[32m%d ms\\033[0m\\n' $n $((n % 90 + 12)) ;;
    *) printf '\\033[90m%s\\033[0m \\033[36mINFO\\033[0m  batch %d: 500 documents indexed {"shard":%d,"took":%d}\\n' "$(date +%H:%M:%S)" $n $((n % 8)) $((n % 90 + 12)) ;;
  esac
  sleep 0.08
done`

const QUALITY = `import json, sys

def check(name, rows):
    print(f"checking {name}: {rows} rows")
    if name == "orders":
        raise ValueError("orders: 17 rows without a customer_id, expected 0 (see https://wiki.example.com/dq/orders)")

for name, rows in [("customers", 120431), ("products", 8120), ("orders", 9911234)]:
    check(name, rows)
`

const SESSIONS = `const before = Date.now() - 30 * 86_400_000
console.log(\`removing sessions before \${new Date(before).toISOString()}\`)
console.log('removed 1284 of 90311')
`

/** `url`: where the server of the demo is reached. */
export function demoTasks(url: string): readonly DemoTask[] {
  return [...OPERATIONS, checkOf(url), ...DATA, ...ORDERS, ...PAYMENTS, ...GROWTH]
}

const checkOf = (url: string): DemoTask => ({
  app: 'default',
  daysOld: 1 / 24,
  task: {
    name: 'gateway health check',
    enabled: true,
    tags: ['ops'],
    schedule: cron('*/15 * * * * ?', 'Europe/Berlin'),
    handler: { kind: 'http', url: `${url}/healthz` },
  },
  work: { ms: [8, 60], says: ['GET /healthz: 200 in {n} µs'] },
})

const OPERATIONS: readonly DemoTask[] = [
  {
    app: 'default',
    task: {
      name: '数据库每日备份',
      description: '全量备份到对象存储，保留 30 天。',
      notes: '恢复步骤见 https://wiki.example.com/backup\n失败时先看磁盘空间，再重跑。',
      owner: '李雷',
      tags: ['备份', '数据库'],
      params: '{"target":"oss://backup/daily","keepDays":30}',
      enabled: true,
      schedule: cron('0 0 2 * * ?'),
      handler: { kind: 'shell', script: BACKUP, env: { DB_HOST: '${{ vars.DB_HOST }}', PGPASSWORD: '${{ secrets.DB_PASSWORD }}' } },
      retry: { max: 3, delayMs: 60_000 },
      timeoutMs: 3_600_000,
      misfire: { policy: 'fireOnce' },
    },
    work: {
      ms: seconds(380, 900),
      failsOneIn: 9,
      says: ['dumping tickwheel to /backup', '  user: {n} rows', '  orders: {n} rows', '  payment: {n} rows', 'done, {n} MB'],
    },
  },
  {
    app: 'default',
    daysOld: 1 / 24,
    task: {
      name: 'heartbeat',
      enabled: true,
      tags: ['ops'],
      schedule: every(5_000),
      handler: shell('echo alive at "$TICKWHEEL_SCHEDULED_AT"'),
    },
    work: { ms: [6, 30], says: ['alive'] },
  },
  {
    app: 'default',
    daysOld: 0.25,
    task: {
      name: '清理过期会话',
      enabled: true,
      schedule: { kind: 'fixedDelay', delayMs: 60_000 },
      handler: { kind: 'script', language: 'node', source: SESSIONS },
    },
    work: { ms: [90, 400], says: ['removing sessions', 'removed {n} of 90311'] },
  },
  {
    app: 'default',
    task: {
      name: 'weekly sales report',
      owner: 'Ana Souza',
      enabled: true,
      tags: ['report', 'sales'],
      schedule: cron('0 30 9 ? * MON', 'America/New_York'),
      handler: shell('echo "collecting"; sleep 1; echo "sent to 14 people"'),
    },
    work: { ms: seconds(40, 90), says: ['collecting', 'sent to 14 people'] },
  },
  {
    app: 'default',
    task: {
      name: 'certificate expiry check',
      enabled: true,
      schedule: unix('0 8 * * 1-5', 'UTC'),
      handler: shell('echo "checking 42 hosts"; sleep 600'),
      timeoutMs: 60_000,
      killGraceMs: 500,
    },
    work: { ms: seconds(12, 100), says: ['checking 42 hosts', '{n} days left: api.example.com'] },
  },
  {
    app: 'default',
    task: {
      name: '刷新 CDN 缓存',
      description: '发版之后手动执行。',
      schedule: { kind: 'manual' },
      handler: shell('echo 已提交 12 个目录'),
    },
    work: { ms: seconds(2, 9), says: ['已提交 12 个目录'] },
  },
  {
    app: 'default',
    daysOld: 0.25,
    task: {
      name: 'slow poller that skips while it runs',
      enabled: true,
      schedule: every(60_000),
      handler: shell('echo polling; sleep 75'),
      overlap: { policy: 'skip' },
    },
    work: { ms: seconds(40, 95), says: ['polling', 'got {n} messages'] },
  },
  {
    app: 'default',
    task: {
      name: '日志轮转',
      description: '在每台机器上执行一次（广播）。',
      enabled: true,
      tags: ['ops'],
      schedule: cron('0 5 0/6 * * ?'),
      handler: shell('echo rotated on $(hostname)'),
      sharding: { kind: 'broadcast' },
    },
    work: { ms: seconds(1, 4), says: ['rotated'] },
  },
  {
    app: 'default',
    task: {
      name: '磁盘空间巡检',
      enabled: true,
      tags: ['ops'],
      schedule: cron('0 0 0/2 * * ?'),
      handler: shell('df -h / | tail -1'),
    },
    work: {
      ms: [200, 900],
      says: ['/dev/sda1 500G 3{n}M 61% /'],
      failsOneIn: 150,
      error: { code: 'EXIT_CODE', message: 'exit code 2: / is 96% full' },
    },
  },
]

const DATA: readonly DemoTask[] = [
  {
    app: 'data-platform',
    task: {
      name: '重建商品搜索索引（全量）',
      description: '先写入新索引，校验通过后切换别名。',
      owner: 'search-team',
      tags: ['search'],
      schedule: cron('0 0 3 L * ?'),
      handler: shell(REBUILD),
      params: '{"index":"products-v7","batch":500}',
    },
    work: { ms: seconds(1100, 2400), says: ['rebuilding the index products-v7', 'batch {n}: 500 documents indexed', '批次 {n} 已写入'] },
  },
  {
    app: 'data-platform',
    task: {
      name: 'sync-customer-profiles',
      enabled: true,
      schedule: cron('0 0/30 * * * ?'),
      handler: named('profiles.sync'),
      params: '{"region":"eu-west-1"}',
      routing: 'leastLoaded',
    },
    work: {
      ms: seconds(30, 240),
      says: ['syncing eu-west-1', '{n} of 50000 profiles', '50000 of 50000 profiles'],
      slowOneIn: 60,
      failsOneIn: 120,
    },
  },
  {
    app: 'data-platform',
    task: {
      name: '数据质量检查',
      owner: '韩梅梅',
      enabled: true,
      schedule: cron('0 0 0/2 * * ?'),
      handler: { kind: 'script', language: 'python', source: QUALITY },
      retry: { max: 1, delayMs: 10_000, backoff: 'fixed' },
    },
    work: {
      ms: seconds(8, 40),
      failsOneIn: 3,
      says: ['checking customers: {n} rows', 'checking products: {n} rows', 'checking orders: 9911234 rows'],
      error: {
        code: 'EXIT_CODE',
        message: 'exit code 1: ValueError: orders: 17 rows without a customer_id, expected 0 (see https://wiki.example.com/dq/orders)',
      },
    },
  },
  {
    app: 'data-platform',
    task: {
      name: 'etl-orders-to-warehouse-incremental-with-late-arriving-facts-and-slowly-changing-dimensions-v2',
      enabled: true,
      tags: ['etl', 'warehouse', 'orders', 'incremental', 'tier-1'],
      owner: 'data-platform-oncall@example.com',
      schedule: cron('0 15,45 6-22/2 ? * MON-FRI'),
      handler: named('orders.load'),
      retry: { max: 2, delayMs: 30_000 },
    },
    work: {
      ms: seconds(60, 200),
      says: ['watermark 2026-11-22T16:00:00Z', '{n} late facts', 'merged {n} rows'],
      result: { inserted: 18_204, updated: 311, watermark: '2026-11-22T16:00:00Z' },
      failsOneIn: 40,
      error: { code: 'LOCK_TIMEOUT', message: 'could not lock warehouse.fact_orders within 30 s' },
    },
  },
  {
    app: 'data-platform',
    task: {
      name: '用户画像打分',
      description: '按用户号段分为 8 片并行执行。',
      enabled: true,
      tags: ['画像'],
      schedule: cron('0 20 4 * * ?'),
      handler: named('users.score'),
      sharding: { kind: 'fixed', total: 8 },
      retry: { max: 1, delayMs: 5_000 },
    },
    work: { ms: seconds(120, 420), says: ['scoring', '{n} users'], failsOneIn: 60 },
  },
  {
    app: 'data-platform',
    task: { name: '抽取订单', tags: ['etl'], schedule: { kind: 'manual' }, handler: named('orders.extract') },
    work: { ms: seconds(20, 70), says: ['{n} rows from order-center'], result: { rows: 48_213, file: 'oss://stage/orders.parquet' } },
  },
  {
    app: 'data-platform',
    task: { name: '装载数仓', tags: ['etl'], schedule: { kind: 'manual' }, handler: named('warehouse.load') },
    work: {
      ms: seconds(60, 300),
      says: ['copy into {n} files', 'analyze'],
      failsOneIn: 12,
      error: { code: 'DISK_FULL', message: 'no space left on warehouse node 3' },
    },
  },
  {
    app: 'data-platform',
    task: { name: '修复装载', schedule: { kind: 'manual' }, handler: named('warehouse.repair') },
    work: { ms: seconds(30, 60), says: ['freed {n} MB', 'loaded again'] },
  },
  {
    app: 'data-platform',
    task: { name: '发送数仓日报', schedule: { kind: 'manual' }, handler: named('report.send') },
    work: { ms: seconds(2, 6), says: ['sent to 31 people'] },
  },
  {
    app: 'data-platform',
    task: {
      name: '每小时指标汇总',
      enabled: true,
      schedule: cron('0 0 * * * ?'),
      handler: named('metrics.rollup'),
      priority: 8,
    },
    work: { ms: seconds(15, 80), says: ['rolled up {n} series'], slowOneIn: 90 },
  },
]

const ORDERS: readonly DemoTask[] = [
  {
    app: 'order-center',
    daysOld: 0.5,
    task: {
      name: '订单超时关单',
      enabled: true,
      tags: ['订单'],
      schedule: cron('0 * * * * ?'),
      handler: named('orders.closeExpired'),
    },
    work: { ms: seconds(1, 6), says: ['关闭 {n} 笔超时订单'], failsOneIn: 400 },
  },
  {
    app: 'order-center',
    task: {
      name: '双十一流量预热',
      enabled: true,
      schedule: { kind: 'once', at: '2030-11-10T15:30:00.000Z' },
      handler: named('cache.warm'),
    },
    work: { ms: seconds(60, 120), says: ['预热 {n} 个商品'] },
  },
  {
    app: 'order-center',
    task: {
      name: '库存对账',
      enabled: true,
      owner: '赵强',
      schedule: cron('0 40 * * * ?'),
      handler: named('stock.reconcile'),
      routing: 'consistentHash',
      retry: { max: 2, delayMs: 20_000 },
    },
    work: {
      ms: seconds(25, 130),
      says: ['对账 {n} 个 SKU', '差异 0'],
      failsOneIn: 50,
      error: { code: 'MISMATCH', message: '仓库 SH-3 有 12 个 SKU 的库存与流水不一致' },
    },
  },
  {
    app: 'order-center',
    task: { name: '发票开具', enabled: true, schedule: cron('0 10,40 8-20 * * ?'), handler: named('invoices.issue'), concurrency: 2 },
    work: {
      ms: seconds(5, 40),
      says: ['开具 {n} 张电子发票'],
      failsOneIn: 200,
      error: { code: 'TAX_API_503', message: '税务接口暂时不可用（HTTP 503）' },
    },
  },
  {
    app: 'order-center',
    task: { name: '物流轨迹同步', enabled: true, schedule: cron('0 0/30 * * * ?'), handler: named('parcels.track') },
    work: { ms: seconds(10, 50), says: ['{n} 个包裹有更新'] },
  },
  {
    app: 'order-center',
    calendar: WORKDAYS,
    task: { name: '优惠券过期提醒', enabled: true, schedule: cron('0 0 10 * * ?'), handler: named('coupons.remind') },
    work: { ms: seconds(30, 90), says: ['已推送 {n} 人'] },
  },
  {
    app: 'order-center',
    task: {
      name: '历史订单归档',
      description: '按订单号区间分片。',
      enabled: true,
      schedule: cron('0 30 1 ? * SUN'),
      handler: named('orders.archive'),
      sharding: { kind: 'range', from: 0, to: 600_000, size: 100_000 },
    },
    work: { ms: seconds(90, 300), says: ['archived {n} orders'] },
  },
]

const PAYMENTS: readonly DemoTask[] = [
  {
    app: 'payments-emea',
    task: {
      name: 'settlement',
      enabled: true,
      tags: ['finance'],
      schedule: cron('0 0 18 * * ?', 'Europe/Paris'),
      handler: named('settle'),
      onLost: 'fail',
    },
    work: {
      ms: seconds(200, 500),
      says: ['{n} transactions', 'file SEPA-{n}.xml written'],
      failsOneIn: 15,
      error: { code: 'BANK_REJECTED', message: 'pain.001 rejected: AM05 duplicate message id' },
    },
  },
  {
    app: 'payments-emea',
    task: { name: 'chargeback import', enabled: true, schedule: cron('0 0 6 ? * MON-FRI', 'Europe/London'), handler: named('chargebacks') },
    work: { ms: seconds(20, 60), says: ['{n} disputes'] },
  },
  {
    app: 'payments-emea',
    task: { name: 'FX rates', enabled: true, schedule: cron('0 5 * * * ?', 'Europe/Berlin'), handler: named('fx') },
    work: { ms: seconds(1, 4), says: ['33 currencies'] },
  },
]

const GROWTH: readonly DemoTask[] = [
  {
    app: 'growth',
    task: {
      name: 'abandoned cart reminder',
      schedule: unix('5 * * * *', 'Australia/Lord_Howe'),
      enabled: true,
      handler: named('carts.remind'),
    },
    work: { ms: seconds(3, 14), says: ['{n} mails queued'] },
  },
  {
    app: 'growth',
    task: {
      name: 'newsletter',
      enabled: true,
      schedule: cron('0 0 9 ? * TUE,THU', 'Europe/Berlin'),
      handler: named('newsletter'),
      timeoutMs: 1_800_000,
    },
    work: { ms: seconds(400, 1500), says: ['segment A: {n}', 'segment B: {n}', 'sent'] },
  },
  {
    app: 'growth',
    task: {
      name: 'campaign attribution',
      enabled: true,
      schedule: cron('0 50 0/3 * * ?', 'UTC'),
      handler: named('attribution'),
      retry: { max: 1, delayMs: 15_000 },
    },
    work: {
      ms: seconds(60, 180),
      says: ['{n} clicks joined'],
      failsOneIn: 25,
      error: { code: 'ADS_API_429', message: 'ads API: quota exceeded, retry after 3600 s' },
    },
  },
  {
    app: 'growth',
    task: {
      name: 'refresh lookalike audiences',
      enabled: true,
      schedule: cron('0 15 5 * * ?', 'America/Los_Angeles'),
      handler: named('audiences'),
    },
    work: { ms: seconds(300, 900), says: ['{n} seeds', '{n} members'] },
  },
  {
    app: 'growth',
    task: { name: 'A/B test significance', enabled: true, schedule: cron('0 30 * * * ?', 'UTC'), handler: named('abtest') },
    work: { ms: seconds(4, 20), says: ['{n} samples', 'p = 0.04{n}'] },
  },
  {
    app: 'growth',
    task: {
      name: 'import ad spend',
      enabled: true,
      schedule: cron('0 45 7 * * ?', 'Europe/Berlin'),
      handler: named('adspend'),
      retry: { max: 3, delayMs: 60_000, backoff: 'exponential' },
    },
    work: {
      ms: seconds(30, 100),
      says: ['{n} rows'],
      failsOneIn: 6,
      error: { code: 'HTTP_502', message: 'https://ads.example.com/v3/spend answered 502' },
    },
  },
  {
    app: 'growth',
    task: {
      name: 'Q4 landing page warm-up (old)',
      description: 'Kept for the record; the campaign is over.',
      schedule: cron('0 0/10 * * * ?', 'UTC'),
      handler: named('warmup'),
    },
    work: { ms: seconds(1, 3) },
  },
]
