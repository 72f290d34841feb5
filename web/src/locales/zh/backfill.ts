export const backfill = {
  title: '补数“{name}”', menu: '补数…', intro: '为过去一段时间内应触发的每个时刻各生成一次执行：业务时间取该时刻，任务定义取当前版本。调度本身及其触发记录不受影响。',
  range: '应触发时间范围（含起点，不含终点）', which: '补哪些', orderLabel: '顺序', concurrency: '同时执行数',
  only: { missing: '缺失的', failed: '失败的', all: '全部' },
  onlyHint: { missing: '没有成功、也没有正在进行的执行的时刻。', failed: '最近一次执行未成功的时刻。', all: '所有应触发的时刻，包括已经成功的。' },
  order: { oldestFirst: '从早到晚', newestFirst: '从晚到早' }, atOnce: '同时 {n} 个',
  preview: '查看将补哪些', wouldRun: '将生成 {n} 次执行：', showAll: '显示 {n} 条', more: '另有 {n} 条', none: '没有执行', gone: '已触发，执行记录已清理', planned: '另一个补数即将执行',
  start: '开始补数', startCount: '开始补数（{n} 次）',
  earlier: '补数记录', states: { running: '进行中', done: '已完成', canceled: '已取消' }, progress: '完成进度', made: '已生成 {made}/{total}', open: '{n} 个进行中',
  cancel: { button: '取消', rest: '不再生成新的执行', all: '并取消进行中的执行', title: '取消该补数？', text: '不再生成新的执行（已生成 {made}/{total}）。进行中的执行会自行结束。', withRuns: '不再生成新的执行（已生成 {made}/{total}），并取消进行中的执行。', confirm: '取消补数', keep: '继续补数' },
  presets: { day: '最近 24 小时', yesterday: '昨天', week: '最近 7 天' },
}
