export const dashboard = {
  title: '总览', asTable: '以表格查看', hour: '小时', onlyGroup: '只看任务组 {group}',
  hours: { label: '时间范围', h24: '24 小时', h48: '48 小时', h168: '7 天' },
  tiles: {
    broken: '异常', late: '延迟', full: '负载', next: '未来 60 分钟', things: '项待处理', bad: '{span}内失败 {count} 次',
    starts: '半数在 {p50}内启动，99% 在 {p99}内', noStarts: '{span}内没有调度启动的执行', slots: '槽位已用', waiting: '没有排队的执行 | {count} 次执行在排队', alsoFull: '{n} 项待处理',
    firings: '次触发', first: '{name} {when}',
  },
  attention: {
    title: '待处理', only: '只看{level}', all: '显示全部', noneOf: '没有这类条目。', none: '一切正常，无需处理。', more: '再显示 {n} 项', cut: '仅列出最紧要的，还有更多。', levels: { broken: '异常', late: '延迟', full: '拥堵' },
    finding: '台账记录有误', held: '数据有误，已暂停触发', paused: '连续失败 {count} 次后自动停止',
    failing: '最近一次失败 | 连续失败 {count} 次', incident: '有未处理的告警', rule: '规则“{name}”', channel: '告警渠道发送失败 | 告警渠道连续发送失败 {count} 次', overdue: '已到点，但没有节点触发',
    waiting: '{count} 次执行在排队', noExecutor: '没有在线执行器', executorsGone: '{count} 个执行器已离线', lastSeen: '最近在线：{name}',
  },
  outcomes: { title: '执行结果', none: '这段时间没有结束的执行。' },
  lateness: {
    title: '启动延迟', none: '这段时间没有调度启动的执行。', starts: '启动次数', p50: 'P50', p99: 'P99', p50Hint: '半数执行在到点后这段时间内启动。', p99Hint: '99% 的执行在到点后这段时间内启动。',
    summary: '启动 {count} 次，P50 {p50}，P99 {p99}',
  },
  load: {
    busiest: '最忙的执行器', isDraining: '排空中', title: '执行器', online: '{count} 个在线', draining: '{n} 个排空中', none: '还没有执行器接入。', bar: '{slots} 个槽位已用 {used} 个', waiting: '{count} 次在排队', noneOnline: '无在线执行器', executors: '{n} 个执行器', more: '再显示 {n} 个',
  },
  coming: { title: '即将触发', none: '一小时内没有到点的触发。', minute: '时间', firings: '触发次数', first: '最先触发', summary: '没有触发 | {count} 次触发', summaryCut: '超过 {count} 次触发' },
  completeness: {
    title: '触发完整性（最近 24 小时）', hint: '由独立的核对器按调度重新计算应触发的时刻，并与触发台账逐条核对：应触发 = 已触发 + 未触发（有原因）。',
    allWell: '应触发的全部有据可查。', nothing: '还没有应触发的时刻。', broken: '台账不完整：请查看下方的核对发现。',
    expected: '应触发', fired: '已触发', skipped: '未触发（有原因）', missing: '缺失', doubled: '重复',
    missingHint: '应触发，但没有任何记录说明结果。除非数据丢失或被外部修改，否则不会发生。', doubledHint: '同一时刻被处理两次，或不该触发却触发了。除非数据被外部修改，否则不会发生。',
    until: '已核对到 {at}', behind: '核对落后 {span}，会自动追上。', since: '自 {at} 起核对，此前的未核对。', never: '核对尚未开始，几秒内就会开始。',
    hours: '按小时', hour: '{hour}：应触发 {expected}，已触发 {fired}，未触发 {skipped}，缺失 {missing}，重复 {doubled}', byGroup: '按任务组', group: '任务组',
  },
  reasons: { misfire: '已错过触发时间', overlap: '上一次执行尚未结束', queueFull: '等待的执行过多', stoppedFirst: '调度已先被停止', restored: '恢复备份后略过' },
  findings: {
    title: '核对发现', none: '没有发现问题：台账没有缺失、重复或错误的记录。', what: '问题', task: '任务', when: '应触发时间', found: '发现时间', over: '已于 {at} 解除', count: '{n} 个时刻', more: '仅列出最新的，还有更多。',
    kinds: { missing: '缺失：应触发，但台账没有记录', doubled: '重复：有两条记录', notDue: '不该触发却触发了', broken: '记录所指的上一时刻与实际不符', noRun: '已触发，但找不到执行记录', wrongRun: '已触发，但执行记录属于另一时刻', overdue: '逾期：没有节点触发它' },
  },
  recovery: {
    title: '恢复报告', none: '没有中断：每次触发都按时处理。', hint: '无法触发期间（例如服务停机）到点的触发，事后是如何处理的。',
    span: '中断 {span}', sums: '补执行 {madeUp} 次，略过 {skipped} 次', madeUp: '补执行', skipped: '略过', policy: '规则', policies: { restored: '恢复备份后略过', grace: '在宽限时间内延迟触发' }, more: '受影响的任务更多，此处未全部列出。', tasks: '{n} 个任务', due: '应触发时间',
  },
}
