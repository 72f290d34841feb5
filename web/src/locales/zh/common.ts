export const common = {
  units: {
    ms: '{n} 毫秒', s: '{n} 秒', min: '{n} 分钟', h: '{n} 小时', d: '{n} 天',
    in: '{span}后', ago: '{span}前', now: '现在',
    local: '本地', taskZone: '任务', utc: 'UTC',
    milliseconds: '毫秒', seconds: '秒', minutes: '分钟', hours: '小时', days: '天',
  },
  states: {
    waiting: '等待中', queued: '排队中', dispatched: '已派发', running: '运行中', succeeded: '成功', failed: '失败',
    timedOut: '超时', canceled: '已取消', lost: '失联', skipped: '已跳过', paused: '已暂停', pending: '未开始',
  },
  causes: { schedule: '调度', manual: '手动', api: 'API', retry: '重试', workflow: '工作流', backfill: '补数', shard: '分片' },
  actions: {
    save: '保存', cancel: '取消', close: '关闭', edit: '编辑', copy: '复制', retry: '重试', create: '新建',
    closeTitle: '不保存就关闭？', closeText: '在这里所做的修改将丢失。', discard: '放弃修改', stay: '继续编辑', copied: '已复制',
  },
  list: {
    total: '共 {n} 条', totalCapped: '超过 {n} 条', selected: '已选 {n} 项', loadMore: '加载更多', nothingMatches: '没有符合筛选条件的内容。',
    actions: '操作', clearFilters: '清除筛选',
  },
}
