export const palette = {
  open: '搜索或跳转…', label: '搜索或跳转到页面', placeholder: '搜索，或输入页面名称…', list: '结果', nothing: '没有找到“{text}”。', found: '没有结果 | {n} 条结果 | {n} 条结果',
  sections: { recent: '最近查看', pages: '页面', actions: '操作', task: '任务', workflow: '工作流', run: '执行记录', workflowRun: '工作流执行', executor: '执行器', calendar: '日历', group: '任务组', user: '用户' },
  kinds: { task: '任务', workflow: '工作流', run: '执行记录', workflowRun: '工作流执行' },
  theme: { light: '切换到浅色主题', dark: '切换到深色主题', system: '主题跟随系统' },
  language: { en: 'Switch to English', zh: '切换到中文' },
  hints: { choose: '选择', open: '打开', more: '也可输入：任务组/名称、#执行编号' },
}

export const keyboard = {
  title: '键盘快捷键', then: '然后', close: '关闭', off: '单键快捷键已关闭，可在“我的账号”中开启。',
  parts: { anywhere: '任意页面', go: '跳转到', list: '当前页面' },
  palette: '搜索或跳转', help: '查看快捷键', filter: '定位到筛选框', create: '新建', next: '下一行', previous: '上一行', openRow: '打开所在行', escape: '关闭弹出内容',
  account: { title: '键盘', label: '单键快捷键', hint: '例如 g t 打开任务、n 新建、/ 定位到筛选框。关闭后只保留带 Ctrl 或 Cmd 的快捷键，避免语音输入等误触。', show: '查看全部快捷键' },
}
