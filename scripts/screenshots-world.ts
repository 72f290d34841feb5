import type { GroupCreate, TaskCreate, SecretCreate, VariableCreate } from '@tickwheel/contract'

/** What the photographed console shows: the tasks of a company that does not exist. */
export interface SampleTask extends Omit<TaskCreate, 'groupId'> {
  /** appName of its group */
  readonly group: string
  /** how often it is started by hand before the pictures are taken */
  readonly runs?: number
}

export const GROUPS: readonly GroupCreate[] = [
  { name: '数据平台', appName: 'data-platform', description: '数仓、画像与搜索索引。Warehouse, profiles, search.' },
  { name: '订单中心', appName: 'order-center', description: '' },
  {
    name: 'Payments & settlement (Europe, Middle East and Africa)',
    appName: 'payments-emea',
    description: 'Nobody has joined an executor here yet.',
  },
]

const backup = `#!/bin/sh
set -e
echo "dumping tickwheel to /backup/$(date +%F).sql.gz"
for table in user orders order_item payment refund audit; do
  echo "  $table: $((RANDOM % 90000 + 1000)) rows"
done
echo "done, 214 MB"`.replace('$((RANDOM % 90000 + 1000))', '48213')

const rebuild = `printf '\\033[1mrebuilding the index products-v7\\033[0m\\n'
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

const quality = `import json, sys

def check(name, rows):
    print(f"checking {name}: {rows} rows")
    if name == "orders":
        raise ValueError("orders: 17 rows without a customer_id, expected 0 (see https://wiki.example.com/dq/orders)")

for name, rows in [("customers", 120431), ("products", 8120), ("orders", 9911234)]:
    check(name, rows)
`

const sessions = `const before = Date.now() - 30 * 86_400_000
console.log(\`removing sessions before \${new Date(before).toISOString()}\`)
console.log('removed 1284 of 90311')
`

export const TASKS: readonly SampleTask[] = [
  {
    group: 'default',
    name: '数据库每日备份',
    description: '全量备份到对象存储，保留 30 天。',
    owner: '李雷',
    tags: ['备份', '数据库'],
    params: '{"target":"oss://backup/daily","keepDays":30}',
    enabled: true,
    schedule: { kind: 'cron', expression: '0 0 2 * * ?', timezone: 'Asia/Shanghai' },
    handler: { kind: 'shell', script: backup },
    retry: { max: 3, delayMs: 60_000 },
    timeoutMs: 3_600_000,
    runs: 3,
  },
  {
    group: 'default',
    name: 'heartbeat',
    enabled: true,
    tags: ['ops'],
    schedule: { kind: 'fixedRate', everyMs: 5_000 },
    handler: { kind: 'shell', script: 'echo alive at "$TICKWHEEL_SCHEDULED_AT"' },
  },
  {
    group: 'default',
    name: '清理过期会话',
    enabled: true,
    schedule: { kind: 'fixedDelay', delayMs: 10_000 },
    handler: { kind: 'script', language: 'node', source: sessions },
  },
  {
    group: 'default',
    name: 'gateway health check',
    enabled: true,
    schedule: { kind: 'cron', expression: '*/15 * * * * ?', timezone: 'Europe/Berlin' },
    handler: { kind: 'http', url: 'SERVER/healthz' },
  },
  {
    group: 'default',
    name: 'weekly sales report',
    owner: 'Ana Souza',
    enabled: true,
    tags: ['report', 'sales'],
    runs: 2,
    schedule: { kind: 'cron', expression: '0 30 9 ? * MON', timezone: 'America/New_York' },
    handler: { kind: 'shell', script: 'echo "collecting"; sleep 1; echo "sent to 14 people"' },
  },
  {
    group: 'default',
    name: 'certificate expiry check',
    enabled: false,
    runs: 2,
    schedule: { kind: 'cron', expression: '0 8 * * 1-5', timezone: 'UTC', dialect: 'unix' },
    handler: { kind: 'shell', script: 'echo "checking 42 hosts"; sleep 600' },
    timeoutMs: 1_500,
    killGraceMs: 500,
  },
  {
    group: 'default',
    name: '刷新 CDN 缓存',
    description: '发版之后手动执行。',
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: 'echo 已提交 12 个目录' },
    runs: 1,
  },
  {
    group: 'default',
    name: 'slow poller that skips while it runs',
    enabled: true,
    schedule: { kind: 'fixedRate', everyMs: 2_000 },
    handler: { kind: 'shell', script: 'echo polling; sleep 5' },
    overlap: { policy: 'skip' },
  },
  {
    group: 'data-platform',
    name: '重建商品搜索索引（全量）',
    description: '先写入新索引，校验通过后切换别名。',
    owner: 'search-team',
    tags: ['search'],
    runs: 1,
    schedule: { kind: 'cron', expression: '0 0 3 L * ?', timezone: 'Asia/Shanghai' },
    handler: { kind: 'shell', script: rebuild },
    params: '{"index":"products-v7","batch":500}',
  },
  {
    group: 'data-platform',
    name: 'sync-customer-profiles',
    enabled: true,
    schedule: { kind: 'fixedRate', everyMs: 60_000 },
    handler: { kind: 'named', name: 'profiles.sync' },
    params: '{"region":"eu-west-1"}',
    runs: 1,
  },
  {
    group: 'data-platform',
    name: '数据质量检查',
    owner: '韩梅梅',
    enabled: true,
    runs: 3,
    schedule: { kind: 'cron', expression: '0 */10 * * * ?', timezone: 'Asia/Shanghai' },
    handler: { kind: 'script', language: 'python', source: quality },
    retry: { max: 1, delayMs: 1_000, backoff: 'fixed' },
  },
  {
    group: 'data-platform',
    name: 'etl-orders-to-warehouse-incremental-with-late-arriving-facts-and-slowly-changing-dimensions-v2',
    enabled: true,
    runs: 4,
    schedule: { kind: 'cron', expression: '0 15,45 6-22/2 ? * MON-FRI', timezone: 'Asia/Shanghai' },
    handler: { kind: 'named', name: 'orders.load' },
  },
  {
    group: 'order-center',
    name: '订单超时关单',
    enabled: true,
    schedule: { kind: 'cron', expression: '0 * * * * ?', timezone: 'Asia/Shanghai' },
    handler: { kind: 'named', name: 'orders.closeExpired' },
    runs: 2,
  },
  {
    group: 'order-center',
    name: '双十一流量预热',
    enabled: true,
    schedule: { kind: 'once', at: '2030-11-10T15:30:00.000Z' },
    handler: { kind: 'named', name: 'cache.warm' },
  },
  {
    group: 'order-center',
    name: 'abandoned cart reminder',
    schedule: { kind: 'cron', expression: '*/5 * * * *', timezone: 'Australia/Lord_Howe', dialect: 'unix' },
    handler: {
      kind: 'http',
      method: 'POST',
      url: 'https://mail.example.com/v1/campaigns/cart/send',
      headers: { 'X-Team': 'growth' },
      body: '{"limit":500}',
    },
  },
  {
    group: 'payments-emea',
    name: 'settlement',
    enabled: true,
    schedule: { kind: 'cron', expression: '0 0 18 LW * ?', timezone: 'Europe/Paris' },
    handler: { kind: 'named', name: 'settle' },
  },
]

export const VARIABLES: readonly VariableCreate[] = [
  { groupId: null, name: 'REPORT_FOLDER', value: '/srv/reports', description: 'where reports are written' },
  { groupId: 1, name: 'DB_HOST', value: 'db-primary.internal:3306', description: 'the primary' },
  { groupId: null, name: 'REGION', value: 'eu-central-1' },
]

export const SECRETS: readonly SecretCreate[] = [
  { groupId: 1, name: 'DB_PASSWORD', value: 'only-for-pictures', description: 'of the account backup' },
  { groupId: null, name: 'SLACK_WEBHOOK', value: 'https://hooks.example.com/only-for-pictures', description: 'channel #operations' },
]
