export const task = {
  tabs: { runs: '执行记录', firings: '触发台账', why: '为什么？', settings: '配置' },
  next: '下次触发', off: '调度已停用', runNow: '立即执行', withParams: '带参数执行…', edit: '编辑', versions: '历史版本', delete: '删除', more: '更多操作',
  held: '该任务自 {at} 起被挂起：{reason}', paused: '调度已于 {at} 自动停用：连续失败 {n} 次。', pausedRun: '最后一次失败的执行：#{id}', owner: '负责人：{name}',
  firings: {
    due: '应触发时间', outcome: '结果', why: '原因', fired: '已触发', skipped: '未触发', folded: '已触发', run: '执行 {run}', range: '{from} 至 {to}', count: '{n} 次', uncounted: '尚未统计', foldedText: '合并为一个计数保存：全部已触发。',
    emptyTitle: '还没有触发记录', emptyText: '任务每个应触发的时刻都会在这里留下一条记录：已触发，或未触发及其原因。', nothing: '该时间段内没有触发记录。', explain: '为什么？', older: '更早', newest: '最新',
  },
  why: {
    title: '为什么执行了，或没有执行？', intro: '任选一个过去或将来的时刻，由触发台账回答。', at: '时刻', zone: '时区 {zone}', ask: '查询', now: '现在', lastNight: '昨夜 02:00', yesterday: '昨天此时', facts: '事实', change: '怎样才会不同',
    verdicts: {
      fired: '已按时触发：执行 {run}。', skipped: '应触发，但没有触发。{reason}', folded: '应触发，并且已触发。', notDue: '那一刻不应触发。', paused: '那一刻不应触发：调度处于停用状态。', beforeTask: '那时任务还不存在。',
      overdue: '应触发，但尚未触发。', held: '任务被挂起：{reason}', notYet: '那一刻还没有到。', deleted: '那时任务已被删除。', unknown: '记录没有保留到那么早。',
    },
    manual: { sentence: '它没有调度，只在手动、通过 API 或由工作流启动时执行。', more: '没有调度就没有应触发的时刻。', change: '为任务设置调度。' },
    more: {
      fired: '打开该执行可以看到后续情况。', folded: '频繁触发的任务按小时合并计数，执行记录照常列出。', notDue: '当时生效的调度在那一刻没有触发点。', paused: '调度停用期间没有应触发的时刻，因此也没有错过任何触发。',
      overdue: '服务器有所滞后，追上之后会自动恢复。', notYet: '届时才知道结果。', unknown: '可能已按保留期限删除。', notYetNotDue: '按现在的调度，那一刻不会触发。',
    },
    calendar: {
      excluded: '调度包含该时刻，但日历“{calendar}”将其排除：{day}。', movedAway: '调度包含该时刻，但日历“{calendar}”将其移至 {to}：{day}。', more: '因此当时无需触发，也不算错过。', moreMoved: '因此当时无需触发，由移动后的那次触发代替。', moreMovedHere: '本次触发代替了休息日的一次。',
      named: '{name}，版本 {version}', day: '{day}（{reason}）', change: '在日历“{name}”中修改该日期，或修改调度遇到休息日时的处理方式。',
    },
    fact: { fired: '实际触发', attempts: '尝试次数', asked: '查询时刻', due: '应触发时间', run: '执行', version: '生效版本', schedule: '当时的调度', previous: '之前的触发点', next: '之后的触发点', range: '覆盖范围', count: '略过的触发', decided: '决定时间', blocker: '阻挡的执行', late: '延迟', policy: '错过触发规则', max: '上限', held: '挂起时间', folded: '该小时触发次数', calendar: '日历', calendarDay: '当天', movedFrom: '原定时间', movedTo: '移至', created: '任务创建时间', before: '应触发' },
    changes: {
      misfire: '在“{field}”中选择“{all}”，或调长判定为错过的时间。', overlap: '在“{field}”中选择“{queue}”或“{parallel}”。', queueFull: '在“{field}”中允许更多等待的执行，或拉长触发间隔。', stoppedFirst: '启用调度。', restored: '无需改变：恢复点之前的触发会被略过，以免重复。如仍需要，请手动执行。',
      byHand: '如需补上，请手动执行任务。', paused: '启用调度，之后会从下一个触发点开始触发。', notDue: '让调度包含这一时刻。', held: '用正确的定义重新保存任务。', overdue: '如果没有恢复，请检查服务器是否在运行、能否连上数据库。',
    },
  },
  trend: { title: '最近 {n} 次执行的耗时', spans: '通常 {typical}，最长 {longest}', logarithmic: '对数刻度' },
  route: {
    title: '现在会由谁执行，为什么', next: '会由 {name} 执行。', byChance: '会随机由 {n} 个执行器之一执行。', nobody: '该任务组还没有注册过执行器。', slots: '已用 {used}/{capacity}',
    elsewhere: '该任务由另一个节点决定。轮次和使用情况记在那个节点上，实际顺序可能不同。', ready: '有空闲槽位', home: '键所属的执行器', over: '超出其份额 {most}，排到其他执行器之后', uses: '近期 {uses} 次执行', unused: '还没有分到过执行',
    obstacles: { offline: '离线', labelsMissing: '缺少标签 {labels}', handlerUnknown: '不支持该处理器', draining: '不再接收新的执行', resting: '刚刚拒绝过一次执行', full: '已满' },
  },
  settings: { version: '版本', hidden: '你无权查看此内容。', nothing: '无' },
}
