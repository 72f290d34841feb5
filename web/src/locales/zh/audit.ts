export const audit = {
  title: '审计日志', refresh: '刷新',
  columns: { at: '时间', actor: '操作者', action: '操作', thing: '对象', group: '任务组', outcome: '结果' },
  outcomes: { done: '成功', refused: '被拒绝' }, times: '{n} 次', changed: '修改：{names}', more: '{names} 等 {n} 项',
  actors: { user: '用户', token: '令牌', executor: '执行器', system: 'Tickwheel 系统' }, nobody: '未登录', others: '其他多个来源',
  filters: { label: '筛选', keyword: '名称、错误码或请求号', actor: '操作者', action: '全部操作', group: '全部任务组', outcome: '全部结果', ip: '来源地址', from: '开始', to: '结束', ofThing: '仅 {thing}', allOf: '{kind}的全部操作' },
  presets: { hour: '最近 1 小时', day: '最近 24 小时', month: '最近 30 天' },
  newest: '最新', newer: '较新', older: '较早', page: '第 {n} 页', lookOn: '继续向前查找',
  emptyTitle: '还没有审计记录', emptyText: '你有权查看的任务组中的每次修改、登录和被拒绝的请求都会记录在这里。',
  export: { label: '导出', csv: 'CSV，适用于电子表格', jsonl: 'JSON Lines，适用于程序', text: '按当前筛选条件导出，最多 {max} 条。导出操作本身也会被记录。', done: '导出文件已下载。' },
  detail: {
    at: '时间', actor: '操作者', from: '来源地址', request: '请求号', thing: '对象', group: '任务组', outcome: '结果', code: '原因', count: '重复', countOf: '一分钟内 {n} 次',
    changes: '修改内容', values: '提交内容', gone: '原有内容', none: '没有修改任何字段。', hidden: '你无权查看该对象的参数，因此修改内容也不显示。', digest: '{size}，SHA-256 {sha}', before: '修改前', after: '修改后', history: '该对象的全部记录', byActor: '该操作者的全部记录', copyLink: '复制链接',
    system: '无来源地址（系统内部）', deletedGroup: '任务组 {id}（已删除）',
  },
  of: '{verb}{kind}',
  special: {
    auth_login: '登录', auth_logout: '退出登录', auth_password: '修改自己的密码', auth_refreshReplayed: '旧会话凭证被重复使用，会话已终止', audit_export: '导出审计日志', document_export: '导出配置', system_resume: '数据恢复后继续调度', self: '修改密码前的请求', executorToken: '执行器请求', executorSession: '执行器请求',
    workflow_cancel: '取消工作流执行', workflow_pause: '暂停工作流执行', workflow_resume: '继续工作流执行', workflow_approve: '审批通过', workflow_reject: '审批驳回', workflow_complete: '手动完成步骤', workflow_retry: '重新执行工作流', task_pause: '连续失败后停用任务', task_editScript: '编辑任务脚本', user_password: '重置用户密码', token_use: '从新地址使用令牌', task_cancelBackfill: '取消补数', workflow_cancelBackfill: '取消补数', instance_retry: '重新执行', bulk_start: '发起批量操作', bulk_cancel: '取消批量操作', instance_cancel: '取消执行', task_runWithParams: '带参数执行任务', workflow_runWithParams: '带参数执行工作流',
  },
  verbs: {
    create: '新建', edit: '编辑', delete: '删除', start: '启动', stop: '停止', run: '执行', retry: '重新执行', cancel: '取消', pause: '暂停', resume: '恢复', restore: '还原', approve: '审批', reject: '驳回', complete: '完成', drain: '排空', revoke: '吊销', enroll: '接入', view: '查看', viewParams: '查看参数：', viewLogs: '查看日志：',
    runWithParams: '带参数执行', toggle: '启停', operate: '操作', export: '导出', disable: '禁用', enable: '启用', reset: '重置', acknowledge: '确认', silence: '静默', close: '关闭', test: '测试', use: '使用', rotate: '轮换', backfill: '补数',
  },
  kinds: {
    auth: '登录', task: '任务', workflow: '工作流', instance: '执行记录', workflowRun: '工作流执行', group: '任务组', executor: '执行器', token: '令牌', user: '用户', role: '角色', calendar: '日历', variable: '变量', secret: '密钥', alarm: '告警', alarmChannel: '通知渠道', alarmRule: '告警规则', channel: '渠道', rule: '规则', silence: '静默',
    incident: '告警事件', backfill: '补数', bulk: '批量操作', audit: '审计日志', document: '配置文档', system: '系统',
  },
}
