export const shell = {
  skipToContent: '跳到正文',
  nav: { label: '主菜单', dashboard: '总览', tasks: '任务', workflows: '工作流', runs: '执行记录', executors: '执行器', groups: '任务组', alarms: '告警', variables: '变量与密钥', calendars: '日历', system: '系统', collapse: '收起菜单', expand: '展开菜单', open: '打开菜单' },
  language: '语言',
  languages: { en: 'English', zh: '中文' },
  theme: { label: '主题', system: '跟随系统', light: '浅色', dark: '深色' },
  user: { menu: '账号', changePassword: '修改密码', apiReference: 'API 文档', signOut: '退出登录' },
  connection: { lost: '实时更新已中断，正在重新连接…', lostFor: '实时更新已中断，{n} 秒后重试。', now: '立即重连', restarting: '服务器正在重启，正在重试…' },
  login: {
    title: '登录', tagline: '任务准时执行；没有执行时，告诉你为什么。', username: '用户名', password: '密码', submit: '登录',
    firstAccount: '首次启动：用户名 {user}，密码 {password}，登录后请修改密码。',
    fill: '填入', usernameMissing: '请输入用户名。', passwordMissing: '请输入密码。', ended: '登录已失效，请重新登录。',
  },
  password: {
    title: '修改密码', forced: '当前密码由他人提供，请先设置自己的密码。', current: '当前密码', next: '新密码', again: '再次输入新密码',
    rule: '8 到 128 个字符，不能是用户名，也不能是常见密码。', mismatch: '两次输入不一致。', tooShort: '至少 8 个字符。', missing: '请输入当前密码。',
    submit: '修改密码', done: '密码已修改，其他登录均已失效。',
  },
  firstPassword: { text: '该账号仍在使用人人皆知的初始密码。', change: '现在修改', later: '稍后' },
  notFound: { title: '页面不存在', text: '地址可能有误，内容可能已被删除，或者你无权查看。', home: '返回首页' },
}
