// Sets theme and language before the first paint, and asks for the files of the page at once. A file of its own because the Content-Security-Policy
// forbids inline scripts. It reads what web/src/store/preferences.ts and web/src/api/session-vault.ts write.
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
  var chosen = read('tickwheel.locale')
  var locale = chosen === 'en' || chosen === 'zh' ? chosen : /^zh/i.test(navigator.language || '') ? 'zh' : 'en'
  root.lang = locale === 'zh' ? 'zh-CN' : 'en'

  var list = /* what pages need: written by the build */ null
  if (list === null) return
  var wanted = list.languages[locale] || []
  if (read('tickwheel.session') === null) wanted = wanted.concat(list.login)
  else {
    wanted = wanted.concat(list.shell)
    for (var i = 0; i < list.pages.length; i += 1) {
      if (!new RegExp(list.pages[i][0]).test(location.pathname)) continue
      wanted = wanted.concat(list.pages[i][1])
      break
    }
  }
  wanted.forEach(function (place, index) {
    if (wanted.indexOf(place) !== index) return
    var link = document.createElement('link')
    var isStyle = /\.css$/.test(list.files[place])
    link.rel = isStyle ? 'preload' : 'modulepreload'
    if (isStyle) link.as = 'style'
    link.crossOrigin = ''
    link.href = '/' + list.files[place]
    document.head.appendChild(link)
  })
})()
