export const dashboard = {
  title: '总览',
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
