export const impact = {
  title: '保存后的影响', wait: '正在对比未来 30 天…', none: '未来 30 天不变，共触发 {n} 次。', unknown: '无法预知变化：触发时间取决于执行何时结束。',
  counts: '未来 30 天：现在 {before} 次，保存后 {after} 次。', capped: '触发次数过多，仅对比到 {until}。', off: '目前已停用，启用后才会生效。', failed: '暂时无法对比。',
  added: '新增 {n} 次', removed: '减少 {n} 次', moved: '移动 {n} 次', more: '另有 {n} 次', all: '展开', arrow: '{from} → {to}',
}
