// Sets theme and language before the first paint. A file of its own because the Content-Security-Policy forbids inline scripts.
// It reads what web/src/store/preferences.ts writes.
;(function () {
  var root = document.documentElement
  var read = function (key) {
    try {
      return localStorage.getItem(key)
    } catch (_) {
      return null
    }
  }
  var theme = read('tickwheel.theme')
  var prefersDark = window.matchMedia && window.matchMedia('(prefers-color-scheme: dark)').matches
  if (theme === 'dark' || (theme !== 'light' && prefersDark)) root.classList.add('dark')
  var locale = read('tickwheel.locale') || (/^zh/i.test(navigator.language || '') ? 'zh' : 'en')
  root.lang = locale === 'zh' ? 'zh-CN' : 'en'
})()
