export const bulk = {
  title: '批量操作', one: '批量操作 {id}', open: '批量操作',
  emptyTitle: '还没有批量操作', emptyText: '在任务、工作流或执行记录列表中勾选若干行，或选择全部匹配项，即可统一操作。每一项的结果会在这里保留 30 天。',
  bar: {
    label: '对所选项', clear: '清除选择', chooseAll: '选择全部 {n} 个匹配项', chooseEverything: '选择全部匹配项', allChosen: '已选择全部 {n} 个匹配项', everything: '已选择全部匹配项', onlyPage: '仅选勾选的 {n} 项',
    exportTooMany: '匹配项超过 {max} 个，请缩小筛选范围，或按任务组整体导出。',
    noneOpen: '所选执行都已结束，无法取消。', noneEnded: '所选执行都尚未结束。',
  },
  actions: { start: '启用', stop: '停用', trigger: '执行', delete: '删除', cancel: '取消执行', retry: '重新执行', export: '导出' },
  titles: {
    task: { start: '启用 {n} 个任务', stop: '停用 {n} 个任务', trigger: '执行 {n} 个任务', delete: '删除 {n} 个任务' },
    workflow: { start: '启用 {n} 个工作流', stop: '停用 {n} 个工作流', trigger: '执行 {n} 个工作流', delete: '删除 {n} 个工作流' },
    instance: { cancel: '取消 {n} 个执行', retry: '重跑 {n} 个执行' },
  },
  means: {
    task: {
      start: '从现在起按调度触发，已启用的不受影响。', stop: '不再按调度触发，直到有人重新启用。',
      trigger: '立即以各自的参数执行一次。', delete: '连同调度和历史版本一起删除，历史执行记录会保留。',
    },
    workflow: {
      start: '从现在起按调度触发，已启用的不受影响。', stop: '不再按调度触发，直到有人重新启用。',
      trigger: '立即以各自的参数执行一次。', delete: '连同调度和历史版本一起删除，历史执行记录会保留。',
    },
    instance: { cancel: '正在运行的会被停止，已完成的部分不会回滚。', retry: '以原来的参数、按任务当前的定义各启动一次新执行。' },
  },
  dialog: {
    first: '操作对象', more: '以及另外 {n} 项', refused: '其中 {n} 项将被拒绝：你没有相应权限，或对象已不存在。',
    cancelRuns: '同时取消尚未结束的执行', where: '操作由服务器执行，之后可在结果页查看每一项的结果，也可中途取消剩余部分。',
  },
  states: { running: '进行中', done: '已完成', canceled: '已取消' },
  items: { failed: '失败', waiting: '等待中', done: '完成', canceled: '已取消' },
  results: { start: '已启用', stop: '已停用', trigger: '已执行', delete: '已删除', cancel: '已请求取消', retry: '已重新执行' },
  columns: { state: '状态', what: '操作', progress: '进度', by: '操作者', begun: '发起时间', result: '结果', task: '任务', workflow: '工作流', instance: '执行' },
  page: {
    progress: '进度', settled: '已处理 {done} / {total}', by: '由 {name} 发起', begun: '发起于', ended: '结束于', byFilter: '查看当时的筛选条件', byHand: '逐个勾选', withRuns: '同时取消执行', results: '结果', all: '全部 {n}',
    cancelRest: '取消剩余部分', cancelTitle: '取消剩余部分？', cancelText: '已处理的 {done} 项保持不变，剩余 {n} 项不再处理。', keep: '继续处理',
    openRun: '执行 {id}', waitsFor: '等待：{why}', next: '下一页', back: '上一页',
  },
}
