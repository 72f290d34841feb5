export const transfer = {
  export: {
    title: '导出', text: '将任务组及其中的日历、任务、工作流按名称导出为一个文件，可随代码一起保存，或应用到另一套环境。密钥的值不会导出，只保留引用。单个文件最多 {items} 项。',
    groups: '要导出的任务组', allGroups: '全部任务组', format: '文件格式', label: '导出', done: '文件已下载。',
  },
  import: {
    title: '导入', text: '使任务组、日历、任务和工作流与文件一致，要么全部生效，要么全不生效。文件中未提到的内容保持不变，也不会删除任何内容。变更之前可以看到全部差异。',
    document: '文档（YAML 或 JSON）', dropHint: '粘贴文档内容，或把文件拖到这里', choose: '选择文件', tooLong: '超过 1 MiB，请按任务组拆分。',
    compare: '对比', apply: '应用 {n} 项变更', applied: '变更已生效。', problems: '有 {n} 处问题，无法应用', line: '第 {n} 行',
    askTitle: '应用这些变更？', askText: '新建 {create} 项，修改 {change} 项，在同一事务中完成。已与文档一致的内容不受影响。',
    leaveTitle: '不应用就离开？', leaveText: '文档尚未应用，离开后本页内容将丢失。', leave: '离开',
  },
  plan: { title: '将要发生的变更', counts: { create: '新建', change: '修改', none: '已一致', untouched: '不涉及' }, nothing: '现状已与文档一致，无需变更。' },
  done: { title: '已完成的变更', counts: { create: '已新建', change: '已修改', none: '原本一致', untouched: '不涉及' } },
  actions: { create: '新建：', change: '修改：', none: '一致：' },
  kinds: { group: '任务组', calendar: '日历', task: '任务', workflow: '工作流' },
  fields: '{n} 个字段', hidden: '以下字段也有变更，但你无权查看其值：{fields}', fieldsLeftOut: '另有 {n} 个字段变更。', cut: '较长的值在此处已截断。', open: '打开',
  more: '再显示 {n} 项', showSame: '显示 {n} 项已一致的内容', hideSame: '隐藏已一致的内容', untouched: '这些任务组中另有 {n} 项未在文档中提到，保持不变', untouchedMore: '还有 {n} 项',
}
