export const groups = {
  title: '任务组', create: '新建任务组', editTitle: '编辑任务组“{name}”', createTitle: '新建任务组',
  search: '按名称搜索', name: '名称', appName: '应用名', description: '描述', tasks: '任务', executors: '执行器', updated: '修改时间',
  concurrency: '并发上限', concurrencyHint: '该组同时派发到执行器的执行数上限，所有节点合计。0 表示不限。',
  appNameHint: '执行器注册时使用的名称。小写字母、数字和连字符，例如 billing-jobs。',
  appNameBad: '2 到 64 个字符：小写字母、数字和连字符，以字母开头。',
  appNameChanged: '有 {n} 个执行器正以旧名称服务该组，它们在重新注册之前会继续运行。',
  nameMissing: '请输入名称。', nameSlash: '名称不能包含斜杠，它用于分隔任务组和任务。',
  deleteTitle: '删除任务组“{name}”？', deleteText: '将删除任务组“{name}”（{appName}）。使用该应用名的执行器将无法再注册。历史执行记录会保留。', deleteConfirm: '删除任务组',
  notEmpty: '该组还有 {n} 个任务，请先移走或删除。',
  created: '已新建任务组“{name}”。', saved: '已保存任务组“{name}”。', deleted: '已删除任务组“{name}”。',
  stale: '该任务组已被其他人修改，字段现在显示最新内容。',
  emptyTitle: '还没有任务组', emptyText: '任务组把任务和运行它们的执行器联系在一起。',
}
