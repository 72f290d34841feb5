export const storage = {
  about: '约 {value}',
  head: {
    database: '数据库', free: '其中可复用的空闲空间', logs: '执行日志', logFiles: '{size}，{n} 个文件', day: '最近 24 小时', week: '最近 7 天', grown: '执行 {runs} 次，触发 {firings} 次', pruned: '上次清理完成', neverPruned: '尚未清理',
  },
  growth: { title: '每日占用', grows: '每天约增长 {size}。', shrinks: '每天约减少 {size}。', day: '{day}：{size}，执行 {runs} 条' },
  retention: {
    title: '保留时间', text: '超过保留时间的数据约每十分钟分小批清理一次。可在配置文件中修改。', days: '{n} 天',
    runsDays: '执行记录', failuresDays: '未成功的执行记录', logsDays: '执行日志', ledgerDays: '触发台账', auditDays: '审计日志',
  },
  tables: { title: '数据表', name: '表', kind: '内容', rows: '行数', size: '占用（含索引）', sizeHint: '数据 {rows}，索引 {indexes}', filter: '按内容筛选' },
  estimated: { mysql: '行数与占用为数据库的估算值，大约每天更新一次。', sqlite: '标有“约”的数值由抽样估算：逐行统计大表会拖慢调度。' },
  kinds: { runs: '执行记录', logs: '日志', ledger: '触发台账', definitions: '任务与工作流', audit: '审计日志', alarms: '告警', other: '其他' },
}
