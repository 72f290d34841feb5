export const log = {
  title: '日志', search: '搜索日志', hits: '{at} / {count}', hitsCapped: '{at} / 超过 {count}', noHits: '无匹配', searching: '搜索中…', next: '下一处', previous: '上一处',
  level: '级别', levels: { debug: '全部级别', info: '信息及以上', warn: '警告和错误', error: '仅错误' },
  stream: '输出', allStreams: '全部输出', streams: { stdout: '标准输出', stderr: '标准错误', log: '日志调用', system: 'Tickwheel' },
  times: '显示时间', wrap: '自动换行', download: '下载', view: '显示', follow: '跟随', toEnd: '跳到末尾', newLines: '{count} 行新日志',
  lines: '共 {count} 行', linesShown: '显示 {shown} 行，共 {count} 行', behind: '正在追赶服务器上的日志…', loading: '读取中…',
  gap: '此处丢失 {count} 行', attempt: '第 {n} 次尝试', cut: '… 还有 {count} 个字符，请下载查看', earlier: '显示更早的日志', later: '显示更晚的日志',
  linkTo: '第 {line} 行的链接', label: '日志内容', nothingPasses: '没有符合筛选条件的日志。', clearFilter: '显示全部',
  waiting: '尚未开始运行，开始后日志会实时显示在这里。', silent: '还没有输出，一有输出就会显示在这里。', nothing: '本次执行没有任何输出。',
  pruned: '没有日志：可能本次执行没有输出，也可能日志已超过保留期限。', hidden: '你无权查看该任务组的日志。',
}
