export const executors = {
  title: '执行器', add: '添加执行器', allGroups: '全部任务组', allStates: '全部状态',
  states: { online: '在线', draining: '排空中', offline: '离线' },
  stateHints: { online: '正在接收执行。', draining: '完成已有的执行，不再接收新的。', offline: '服务器收不到它的心跳。' },
  transports: { stream: '长连接', http: 'HTTP', xxl: 'XXL-JOB' },
  columns: { name: '执行器', state: '状态', slots: '槽位', load: '负载', running: '正在运行', version: '版本', seen: '最近心跳' },
  slots: '{used} / {capacity}', cpu: 'CPU {n}%', runningMore: '另有 {n} 个', idle: '无',
  drain: '排空', resume: '恢复', forget: '移除', more: '{name} 的操作', open: '{name} 的详情',
  drainTitle: '排空 {name}？', drainText: '它会完成已有的 {n} 个执行，恢复之前不再接收新的。', drainIdle: '恢复之前不再接收新的执行。', drained: '{name} 不再接收新的执行。', resumed: '{name} 已恢复接收。',
  forgetTitle: '移除 {name}？', forgetText: '任务组“{group}”的执行器“{name}”将从列表中移除。历史执行记录会保留，它再次注册时会重新出现。', forgotten: '已移除 {name}。',
  detail: { host: '主机', transport: '连接方式', version: '版本', registered: '注册时间', seen: '最近心跳', group: '任务组', labels: '标签', handlers: '处理器', running: '正在运行', none: '无', builtIn: '内置', attempt: '第 {n} 次尝试', runs: '查看全部执行记录', cpu: 'CPU', memory: '内存', queued: '内部等待', pid: '进程 {pid}' },
  emptyTitle: '还没有执行器加入', emptyText: '执行器是运行任务的进程，可以在本机，也可以在任何能访问此服务器的机器上。',
  unclaimed: {
    label: '没有任务组的执行器', text: '有 {n} 个 XXL-JOB 执行器使用的 appname 没有对应的任务组，建立任务组之前不会收到任务。',
    make: '建立任务组', noName: '该名称无法用作任务组的应用名，请改用字母', more: '另有 {n} 个 appname',
  },
  wizard: {
    title: '添加执行器', group: '所属任务组', groupHint: '只运行该任务组的任务。', expires: '令牌有效期', lives: { month: '30 天', quarter: '90 天', year: '1 年', ever: '直到吊销' }, make: '生成命令',
    ready: '在要运行任务的机器上，进入 Tickwheel 的源码目录执行：', once: '其中的令牌只显示这一次。持有它即可作为执行器加入任务组“{group}”。', waiting: '等待连接…', connected: '{name} 已连接。', another: '再生成一个', copy: '复制命令', copied: '已复制，粘贴到终端即可。',
    loopback: '该地址只在本机有效。要在其他机器上使用，请让服务器对外监听（TICKWHEEL_HOST=0.0.0.0），并在此填写它的地址。', server: '服务器', ownTitle: '在自己的程序中', ownHttp: '任何语言均可：先注册，然后在该地址接收派发并上报（见指南“执行器”的“HTTP 方式”一节）。', way: '连接方式', ways: { stream: '长连接', http: 'HTTP 端点' },
    wayHints: { stream: '由执行器主动连接服务器，无需开放入站端口。', http: '执行器监听自己的地址，由服务器向它发送请求。服务器必须能访问 EXECUTOR_HOST 与 EXECUTOR_PORT。' }, own: '使用同一令牌，通过 SDK 接入：', noGroups: '没有你可以操作的任务组。',
  },
}
