import { Type, type Static, type TSchema } from 'typebox'

/**
 * Every setting, in the order of the reference. A leaf's place gives its three names: `database.url` in config.yaml is `--database-url` as a
 * flag and `TICKWHEEL_DATABASE_URL` in the environment. `description` is the English text, `zh` the Chinese one.
 */
export const ConfigSchema = group({
  host: text(
    '127.0.0.1',
    'Address on which the server listens. 127.0.0.1: this machine only; 0.0.0.0: every network.',
    '服务监听的地址。127.0.0.1 仅限本机；0.0.0.0 对所有网络开放。',
    { minLength: 1 },
  ),
  port: whole(
    8080,
    [0, 65_535],
    'Port of the API, the console and the WebSockets. 0: any free one.',
    'API、控制台与 WebSocket 的端口。0 表示任选一个空闲端口。',
  ),
  dataDir: text(
    './data',
    'Folder of the database, the logs, generated keys and the spool. One process at a time.',
    '存放数据库、日志、生成的密钥与执行器缓存的目录，同一时间只能由一个进程使用。',
    { minLength: 1 },
  ),
  database: group({
    url: text(
      '',
      'Where to store. Empty: tickwheel.db in the data folder; sqlite:PATH: another file; mysql://user:password@host:3306/database: MySQL 8 or MariaDB 10.11, and the database exists.',
      '存储位置。留空为数据目录下的 tickwheel.db；sqlite:路径 为其他文件；mysql://用户:密码@主机:3306/数据库 为 MySQL 8 或 MariaDB 10.11，数据库须已存在。',
      { secret: true },
    ),
  }),
  redis: group({
    url: text(
      '',
      'What several nodes on one MySQL database share: redis://:password@host:6379/0, or rediss:// for TLS, redis+cluster://host:port,host:port for Redis Cluster; the same on every node. Empty: this node is alone.',
      '多个节点共用一个 MySQL 数据库时所需的 Redis：redis://:密码@主机:6379/0，TLS 用 rediss://，Redis Cluster 用 redis+cluster://主机:端口,主机:端口，各节点须相同。留空表示单节点运行。',
      { secret: true },
    ),
  }),
  node: group({
    name: text(
      '',
      'What this node is called in the console and the log. Empty: host name and port.',
      '本节点在控制台与日志中的名称。留空为主机名加端口。',
      { maxLength: 128 },
    ),
    url: text(
      '',
      'Where people and programs reach this node, like http://10.0.0.5:8080; shown on the system page. Empty: not told.',
      '他人访问本节点的地址，例如 http://10.0.0.5:8080，显示在系统页面。留空则不显示。',
      { maxLength: 255 },
    ),
  }),
  publicUrl: text(
    '',
    'Where people reach the console, like https://tickwheel.example.com; links in alarms begin with it. Empty: alarms have no links.',
    '人们访问控制台的地址，例如 https://tickwheel.example.com，告警消息中的链接以此开头。留空则告警不带链接。',
    { maxLength: 255 },
  ),
  role: Type.Enum(['all', 'api', 'scheduler'], {
    default: 'all',
    description:
      'What this node does. api: serves people and programs and fires nothing; scheduler: fires, and takes links of executors only; all: both. Other than all: with Redis only.',
    zh: '本节点的角色。api 只提供接口与控制台，不触发任务；scheduler 只触发任务并接受执行器连接；all 两者兼有。非 all 时须配置 Redis。',
  }),
  secret: text(
    '',
    'Signs tokens; at least 32 characters. Empty: generated into the data folder. With Redis it must be given, the same on every node.',
    '用于签发令牌，至少 32 个字符。留空则自动生成到数据目录。配置了 Redis 时必须填写，且各节点相同。',
    { secret: true },
  ),
  secrets: group({
    key: text(
      '',
      'Seals the secrets that tasks are given; at least 32 characters, the same on every node. Empty: made of secret. After a change put the old one into previousKeys, and call `tickwheel secrets rotate`.',
      '用于加密供任务使用的密钥，至少 32 个字符，各节点须相同。留空则由 secret 派生。更换后请把旧值放入 previousKeys，再执行 `tickwheel secrets rotate`。',
      { secret: true },
    ),
    previousKeys: text(
      '',
      'Earlier values of secrets.key, or of secret where no key was set, parted by commas: what they have sealed can still be opened. Empty: none.',
      '以前使用过的 secrets.key（或未设置时的 secret），多个以逗号分隔，用于打开旧的加密数据。留空表示没有。',
      { secret: true },
    ),
  }),
  adminPassword: text(
    'admin123',
    'Password of the first account, admin. Read at the first start only.',
    '首个账号 admin 的密码，仅在首次启动时读取。',
    { minLength: 1, maxLength: 128, secret: true },
  ),
  firstExecutorToken: text(
    '',
    'Executor token that the first start makes for the group default, so that executors can be started together with the servers: twe_1_ and 43 characters of A-Z, a-z, 0-9, - and _. Empty: none. Read at the first start only.',
    '首次启动时为 default 任务组建立的执行器令牌，使执行器可以与服务同时启动：twe_1_ 加 43 个字符（A-Z、a-z、0-9、- 与 _）。留空则不建立，仅在首次启动时读取。',
    { secret: true },
  ),
  logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'What the server writes to its own log: trace, debug, info, warn, error, fatal or silent.',
    zh: '服务自身日志的级别：trace、debug、info、warn、error、fatal 或 silent。',
  }),
  embeddedExecutor: flag(
    true,
    'Runs an executor inside `tickwheel start`; it serves the group default. With MySQL only when the flag or the variable says so.',
    '在 `tickwheel start` 中内置一个执行器，服务于 default 任务组。使用 MySQL 时，仅在命令行参数或环境变量明确开启时启用。',
  ),
  embeddedCapacity: whole(20, [1, 10_000], 'How many runs the embedded executor takes at once.', '内置执行器可同时执行的任务数。'),
  embeddedHandlers: text(
    'shell,script,http',
    'Which built-in handlers the embedded executor allows, joined by commas: shell, script, http. Empty: none.',
    '内置执行器允许的内置处理器，以逗号分隔：shell、script、http。留空表示全部不允许。',
    { maxLength: 64 },
  ),
  embeddedHttpDenyPrivate: flag(
    false,
    'HTTP tasks on the embedded executor do not call private networks and this machine.',
    '内置执行器上的 HTTP 任务不得访问私有网络与本机。',
  ),
  embeddedHttpAllow: text(
    '',
    'Networks and hosts that HTTP tasks on the embedded executor may call all the same, joined by commas, like 10.1.0.0/16,*.example.com. Metadata services of clouds are called only when they stand here.',
    '内置执行器上的 HTTP 任务仍可访问的网段与主机，以逗号分隔，例如 10.1.0.0/16,*.example.com。云厂商元数据服务仅在列入此处时才可访问。',
    { maxLength: 4_096 },
  ),
  executor: group({
    heartbeatMs: whole(5_000, [100, 60_000], 'How often executors tell that they are alive.', '执行器心跳间隔。'),
    deadMs: whole(
      15_000,
      [500, 3_600_000],
      'An executor without a heartbeat for this long is lost. At least twice the heartbeat.',
      '超过此时长没有心跳的执行器视为失联，至少为心跳间隔的两倍。',
    ),
    networks: text(
      '',
      'Networks in which the server calls executors that registered an address (HTTP and XXL-JOB), like 10.0.0.0/8,192.168.1.7: there and nowhere else. Empty: everywhere but link-local addresses, metadata services of clouds, and, where the server listens on more than this machine, loopback.',
      '服务器可以调用的执行器地址所在的网络（HTTP 与 XXL-JOB 执行器），例如 10.0.0.0/8,192.168.1.7，仅限所列网络。留空则除链路本地地址、云厂商元数据服务之外均可；服务器对本机以外监听时，也不调用回环地址。',
      { maxLength: 4_096 },
    ),
  }),
  xxl: group({
    accessToken: text(
      '',
      'Access token of XXL-JOB executors (their xxl.job.accessToken), sent to them too. Empty: no XXL-JOB executor can register, and its addresses answer 404.',
      'XXL-JOB 执行器的 accessToken（与执行器的 xxl.job.accessToken 相同），调用执行器时也会携带。留空则不接受 XXL-JOB 执行器，相应地址返回 404。',
      { secret: true, maxLength: 255 },
    ),
    capacity: whole(
      100,
      [1, 10_000],
      'How many runs one XXL-JOB executor is given at once; it does not tell what it can take.',
      '单个 XXL-JOB 执行器同时接收的执行数上限；该协议不上报容量。',
    ),
  }),
  alarm: group({
    networks: text(
      '',
      'Networks into which alarms are sent (mail servers and webhooks), like 10.0.0.0/8,203.0.113.7: there and nowhere else. Empty: everywhere but link-local addresses, metadata services of clouds, and, where the server listens on more than this machine, loopback.',
      '告警可以发往的网络（邮件服务器与 Webhook 地址），例如 10.0.0.0/8,203.0.113.7，仅限所列网络。留空则除链路本地地址、云厂商元数据服务之外均可；服务器对本机以外监听时，也不发往回环地址。',
      { maxLength: 4_096 },
    ),
  }),
  log: group({
    maxBytes: whole(
      67_108_864,
      [65_536, 1_073_741_824],
      'How much log one attempt may write; head and tail are kept, the cut is marked.',
      '单次执行的日志上限（字节）；超出时保留首尾并标记截断处。',
    ),
  }),
  openRuns: group({
    max: whole(
      200_000,
      [1, 10_000_000],
      'How many runs may be open at once. Full: schedules record a skip, triggers get 429.',
      '同时未结束的执行记录上限。达到后调度记为未触发，手动触发返回 429。',
    ),
  }),
  retention: group({
    runsDays: whole(30, [1, 36_500], 'Days that runs are kept.', '执行记录保留天数。'),
    failuresDays: whole(90, [1, 36_500], 'Days that runs which did not succeed are kept.', '未成功的执行记录保留天数。'),
    logsDays: whole(30, [1, 36_500], 'Days that logs of runs are kept.', '执行日志保留天数。'),
    ledgerDays: whole(
      365,
      [1, 36_500],
      'Days that the firing ledger is kept, and at least as long as any run.',
      '触发台账保留天数，且不短于执行记录。',
    ),
    auditDays: whole(365, [1, 36_500], 'Days that the audit log is kept.', '审计日志保留天数。'),
  }),
  http: group({
    trustedProxies: text(
      '',
      'Proxies whose X-Forwarded-For, -Proto and -Host are believed: networks or addresses joined by commas, like 10.0.0.0/8,127.0.0.1. Limits, lockout and audit then go by the address of the caller, not of the proxy. Empty: none.',
      '受信任的反向代理：以逗号分隔的网段或地址，例如 10.0.0.0/8,127.0.0.1，仅采信它们发来的 X-Forwarded-For、-Proto 与 -Host。限流、登录锁定与审计随之以真实来源地址为准，而非代理地址。留空表示一律不采信。',
      { maxLength: 4_096 },
    ),
    origins: text(
      '',
      'Addresses at which browsers have the console open, joined by commas, like https://tasks.example.com; needed only where a proxy tells the server another host. Empty: the address that the server is called by.',
      '浏览器访问控制台所用的地址，以逗号分隔，例如 https://tasks.example.com；仅当代理改写了 Host 时才需要。留空表示服务自身被访问的地址。',
      { maxLength: 4_096 },
    ),
    hstsSeconds: whole(
      15_552_000,
      [0, 63_072_000],
      'How long browsers keep to HTTPS once they came by it (Strict-Transport-Security); sent where a trusted proxy says that the caller uses HTTPS. 0: not sent.',
      '浏览器以 HTTPS 访问后须持续使用 HTTPS 的时长（Strict-Transport-Security），单位秒；仅在受信任的代理表明来访为 HTTPS 时发送。0 表示不发送。',
    ),
    requestMs: whole(
      60_000,
      [1_000, 3_600_000],
      'How long a caller may take to send a whole request, headers and body.',
      '客户端发送完整请求（含请求头与请求体）的最长时间。',
    ),
  }),
  live: group({
    perUser: whole(
      50,
      [1, 2_000],
      'How many consoles of one user may watch at once on a node.',
      '单个节点上同一用户可同时打开的实时连接数。',
    ),
    perAddress: whole(
      500,
      [1, 2_000],
      'How many consoles of one address may watch at once on a node.',
      '单个节点上同一来源地址可同时打开的实时连接数。',
    ),
  }),
  rateLimit: group({
    login: bucket(10, 0.2, 'sign-in, for each address', '登录（按来源地址）'),
    anonymous: bucket(60, 10, 'calls without a valid credential, for each address', '未通过认证的调用（按来源地址）'),
    read: bucket(300, 100, 'reads, for each user or token', '读取（按用户或令牌）'),
    write: bucket(100, 20, 'changes, for each user or token', '修改（按用户或令牌）'),
    trigger: bucket(300, 100, 'triggers and retries, for each user or token', '触发与重试（按用户或令牌）'),
    heavy: bucket(10, 0.5, 'downloads and bulk work, for each user or token', '下载与批量操作（按用户或令牌）'),
    executor: bucket(1000, 200, 'calls of an executor, for each executor', '执行器的调用（按执行器）'),
  }),
  shutdown: group({
    graceMs: whole(
      30_000,
      [0, 3_600_000],
      'How long an orderly stop may take before the process ends anyway.',
      '有序停机的最长时间，超过后进程直接退出。',
    ),
  }),
})
export type Config = Static<typeof ConfigSchema>

/** What a leaf of the schema carries beside its type. */
export interface SettingTexts {
  readonly default: string | number | boolean
  readonly description: string
  readonly zh: string
  readonly secret?: true
}

function group<P extends Record<string, TSchema>>(properties: P) {
  return Type.Object(properties, { additionalProperties: false })
}

function text(value: string, description: string, zh: string, more: { minLength?: number; maxLength?: number; secret?: true } = {}) {
  return Type.String({ default: value, description, zh, ...more })
}

function whole(value: number, [minimum, maximum]: readonly [number, number], description: string, zh: string) {
  return Type.Integer({ default: value, minimum, maximum, description, zh })
}

function flag(value: boolean, description: string, zh: string) {
  return Type.Boolean({ default: value, description, zh })
}

function bucket(capacity: number, refillPerSecond: number, what: string, zh: string) {
  return group({
    capacity: whole(capacity, [1, 1_000_000], `Calls at once: ${what}.`, `突发上限：${zh}。`),
    refillPerSecond: Type.Number({
      default: refillPerSecond,
      exclusiveMinimum: 0,
      maximum: 1_000_000,
      description: `Calls gained each second: ${what}.`,
      zh: `每秒恢复：${zh}。`,
    }),
  })
}
