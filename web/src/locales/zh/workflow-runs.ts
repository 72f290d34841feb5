export const workflowRuns = {
  title: '工作流执行', ofTasks: '任务', ofWorkflows: '工作流', what: '记录类型',
  views: { label: '视图', canvas: '流程图', timeline: '时间轴', table: '列表', data: '输入与输出' },
  date: '业务日期', dateAny: '全部业务日期', version: '版本',
  fact: { asStep: '执行 {run} 的步骤 {step}', asFrom: '由 {run} 重新执行而来', wasRetried: '已重新执行为 {run}' },
  paused: '已暂停：正在执行的步骤会继续到结束，不再启动新的步骤。',
  attention: { approval: '步骤 {step} 等待审批。', show: '查看步骤' },
  critical: { toggle: '关键路径', hint: '决定本次执行何时结束的一串步骤', hintOpen: '通向未结束时间最长的步骤的一串步骤' },
  canvas: { label: '本次执行的步骤', in: '放大', out: '缩小', fit: '显示全部', legend: '连线', step: '步骤 {step}：{state}' },
  edges: {
    taken: '已走', passed: '未选', blocked: '受阻', open: '尚未决定', in: '等待的上游', out: '通向的下游', first: '随执行一起开始。', last: '后面没有步骤。',
    on: { success: '成功后', failure: '失败后', always: '无论结果', branch: '分支 {branch}' },
  },
  join: { all: '所有上游都完成且没有受阻时启动', any: '第一条上游走通时启动', allDone: '所有上游都有结果时启动', atLeast: '有 {n} 条上游走通时启动' },
  timeline: { empty: '还没有步骤开始。', without: '{n} 个步骤没有时间条：未开始、已跳过或沿用', start: '开始', step: '步骤' },
  table: { key: '步骤', kind: '类型', state: '状态', started: '开始时间', duration: '耗时', about: '说明', find: '查找步骤', nothing: '没有符合的步骤。' },
  data: { input: '输入', output: '输出', noInput: '本次执行没有输入。', noOutput: '该工作流没有声明输出。', outputLater: '执行成功后会显示输出。', hidden: '你无权查看此内容。' },
  step: {
    label: '步骤 {step}', close: '关闭步骤', openRun: '打开执行', openWorkflowRun: '打开子工作流的执行', gone: '这个版本的工作流没有步骤 {step}。', reused: '沿用执行 {run} 的结果', round: '第 {n} 轮', branch: '分支', next: '下次检查', expires: '到期时间', waitsUpstream: '等待 {name} 成功', waitsUntil: '等到 {at}', waitsRound: '{at} 再次尝试',
    continued: '它的失败在这里按成功处理。', disabled: '已禁用：按成功处理。', skippedBlocked: '已跳过：{step} 没有成功。', skippedPassed: '已跳过：{step} 走了另一条路。', skipped: '已跳过：没有一条上游走到这里。',
    tabs: { log: '日志', input: '输入', output: '输出', items: '元素', edges: '上下游', rounds: '轮次', definition: '定义' },
    noInput: '没有给它参数。', noOutput: '没有输出。', outputLater: '步骤结束后会显示输出。', noLog: '这类步骤没有日志。', logLater: '步骤运行后会显示日志。', subLog: '各步骤的日志请在子工作流的执行页面查看。',
    decided: { approved: '{by} 已批准', rejected: '{by} 已驳回', completed: '{by} 标记为完成' }, prompt: '审批事项',
  },
  items: { done: '已结束 {n}/{total}', making: '已生成 {n}/{total}', none: '没有元素。', noneSuch: '没有处于该状态的元素。', index: '序号', value: '内容', all: '全部', about: '说明' },
  actions: {
    cancel: '取消', canceling: '取消中…', pause: '暂停', resume: '恢复', retry: '重新执行…', retryFailed: '从失败处重新执行…', fromHere: '从此步骤重新执行…', approve: '批准', reject: '驳回', complete: '标记为完成…', goOn: '视为完成并继续…',
    cancelTitle: '取消执行 {id}？', cancelText: '将停止“{workflow}”中正在执行的步骤（包括子工作流），并且不再启动新的步骤。已完成的部分不会回滚。', cancelConfirm: '取消执行', keep: '继续运行',
  },
  decide: {
    approveTitle: '批准步骤 {step}？', rejectTitle: '驳回步骤 {step}？', comment: '意见', commentHint: '意见会保留在本次执行和审计日志中。', back: '返回',
  },
  complete: {
    title: '将步骤 {step} 标记为完成', text: '步骤将以此输出成功结束，它正在执行的内容会被取消。此操作会写入审计日志。', textEnded: '将开始一次新的执行，其中该步骤以此输出视为成功，已沿用的结果保持不变。',
    output: '输出', outputHint: '填写 JSON；留空时，后面的步骤看到 null。', badJson: '不是有效的 JSON。', reason: '原因', reasonMissing: '请填写原因。', confirm: '标记为完成', confirmEnded: '开始新的执行',
  },
  retry: {
    title: '重新执行', from: '起点', failed: '未成功的步骤', chosen: '选定的步骤', whole: '从头开始：全部重新执行', choose: '选择步骤', version: '版本', same: '版本 {n}，与本次执行相同', latest: '版本 {n}，最新', isLatest: '版本 {n}（最新）',
    text: '本次执行保持不变；新的执行会沿用保留下来的结果。', again: '{n} 个步骤将重新执行', kept: '{n} 个步骤沿用结果', none: '无', more: '另外 {n} 个', confirm: '开始新的执行',
    missing: '最新版本中没有要沿用的步骤 {step}。请使用本次执行的版本，或从头开始。', otherKind: '步骤 {step} 在最新版本中换了类型。请使用本次执行的版本，或从头开始。', anew: '{n} 个当时未选中的步骤将重新判断', added: '新增', loadFailed: '无法读取最新版本。',
  },
  list: { emptyTitle: '还没有执行', emptyText: '工作流每次触发或手动启动，都会在这里留下一次执行。', columns: { state: '状态', workflow: '工作流', cause: '触发方式', date: '业务日期', due: '应触发时间', duration: '耗时', steps: '步骤' }, look: '显示方式', looks: { list: '列表', grid: '网格' } },
  grid: { label: '最近执行的各个步骤', runs: '最近 {n} 次', cell: '{step}，{date}：{state}', run: '执行 {id}，{date}：{state}', none: '当时没有该步骤', emptyTitle: '还没有执行', emptyText: '每次执行是一列，每个步骤是一行。' },
  instance: { step: '“{workflow}”执行 #{id} 的步骤 {step}' },
  errors: {
    EXPRESSION_FAILED: '表达式求值失败', FANOUT_TOO_LARGE: '元素数量超过上限', WORKFLOW_UNKNOWN_TASK: '任务或工作流已不存在', WORKFLOW_TOO_DEEP: '子工作流嵌套过深', APPROVAL_EXPIRED: '审批超时，无人决定', WAIT_EXPIRED: '等待超时',
    RESULT_TOO_LARGE: '结果过大', STEP_FAILED: '有步骤失败', ITEMS_FAILED: '部分元素失败', PARAMS_INVALID: '参数不符合要求', NOT_ALLOWED: '保存该工作流的人已无权运行它',
  },
}
