export const tasks = {
  title: '任务', create: '新建任务',
  search: '按名称搜索', allGroups: '全部任务组', allStates: '全部状态', on: '已启用', off: '已停用', allSchedules: '全部调度方式', allHandlers: '全部处理器', tag: '标签：{tag}',
  handlers: { shell: 'Shell', script: '脚本', http: 'HTTP', named: '函数' },
  columns: { enabled: '启用', name: '任务', schedule: '调度', next: '下次触发', recent: '最近 20 次执行' },
  switchOn: '启用 {name} 的调度', switchOff: '停用 {name} 的调度', noSchedule: '该任务没有可启用的调度。',
  run: '执行', runTitle: '立即执行 {name}', moreTitle: '{name} 的更多操作', started: '已启动“{name}”的执行。', openRun: '查看',
  menu: { edit: '编辑', trigger: '带参数执行…', copy: '复制', history: '历史版本', runs: '执行记录', delete: '删除' },
  next: { none: '–', afterRun: '本次执行之后', held: '已挂起', due: '即将触发' },
  bars: { summary: '最近 {n} 次执行：{states}', none: '尚无执行' },
  deleteTitle: '删除任务“{name}”？', deleteText: '将删除任务组“{group}”中的任务“{name}”，包括它的 {n} 个版本和调度。历史执行记录会保留。',
  deleteConfirm: '删除任务', deleteOpen: '“{name}”还有 {n} 个未结束的执行，它们将被取消。', deleteOpenSome: '“{name}”还有未结束的执行，它们将被取消。', deleteOpenConfirm: '取消执行并删除', deleted: '已删除任务“{name}”。',
  trigger: {
    title: '执行“{name}”', params: '参数', paramsHint: '仅用于本次执行，任务自身的参数不变。', reset: '恢复任务自身的参数', executor: '执行器', anyExecutor: '不指定，按任务的路由策略', chosenHint: '该执行器离线或已满时会等待。',
    submit: '立即执行', jsonBroken: '这不是有效的 JSON，但仍可提交。', hidden: '你无权查看该任务的参数。',
  },
  empty: {
    title: '还没有任何任务', text: '任务就是“做什么”和“何时做”。可以直接新建，也可以先看三个示例：每 5 秒执行一次的、持续一分钟输出日志的，以及一个会失败的。',
    create: '新建任务', samples: '一键创建三个示例', made: '示例已开始运行，点开一个看看日志。',
    fiveSeconds: '示例-每5秒', minute: '示例-一分钟日志', fails: '示例-会失败',
    fiveSecondsAbout: '每 5 秒输出一行。', minuteAbout: '持续一分钟、每秒输出一行：打开它的执行记录，看实时日志。', failsAbout: '重试之后仍然失败，看看失败是什么样子。',
  },
  versions: {
    title: '“{name}”的历史版本', current: '当前', savedBy: '{name} 保存', bySystem: 'Tickwheel 保存', restore: '恢复此版本', restoreTitle: '恢复版本 {version}？',
    restoreText: '“{name}”将恢复为版本 {version} 的内容；当前内容会作为版本 {current} 保留在历史中。', restored: '已恢复版本 {version}。', same: '与当前版本相同。', first: '首个版本', differences: '与当前版本对比', added: '仅当前有', removed: '仅当时有',
    then: '版本 {version}', now: '当前', emptyValue: '空',
  },
}
