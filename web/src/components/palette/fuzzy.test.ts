import { describe, expect, it } from 'vitest'
import { fit } from './fuzzy.ts'

const marked = (text: string, wanted: string): string | null => {
  const found = fit(text, wanted)
  return found === null ? null : [...text].map((letter, index) => (found.at.includes(index) ? `[${letter}]` : letter)).join('').replaceAll('][', '')
}

describe('a name fits', () => {
  it.each([
    ['as it is, whatever its case', 'Report', 'rePORT', '[Report]'],
    ['from its start', 'nightly-report', 'nig', '[nig]htly-report'],
    ['from the start of a word rather than before', 'preport report', 'rep', 'preport [rep]ort'],
    ['anywhere', 'nightly-report', 'epo', 'nightly-r[epo]rt'],
    ['by words in any order', 'nightly report of orders', 'order night', '[night]ly report of [order]s'],
    ['by the first letters of its words', 'nightly-report', 'nr', '[n]ightly-[r]eport'],
    ['by beginnings of its words', 'sync_all_orders', 'syor', '[sy]nc_all_[or]ders'],
    ['in Chinese, by any part', '同步订单到仓库', '订单', '同步[订单]到仓库'],
    ['in Chinese, by some of its characters in order', '新建任务', '新任', '[新]建[任]务'],
    ['in Chinese and Latin together', '同步 Orders 每日', 'ord 每', '同步 [Ord]ers [每]日'],
    ['full-width letters as if they were not', 'report', 'ｒｅｐ', '[rep]ort'],
    ['everything that is asked for by nothing', 'report', '  ', 'report'],
  ])('%s', (_how, text, wanted, marks) => expect(marked(text, wanted)).toBe(marks))

  it.each([
    ['letters of the middle of words', 'nightly-report', 'gte'],
    ['letters in another order', 'nightly-report', 'rn'],
    ['characters in another order', '新建任务', '任新'],
    ['one word of two', 'nightly-report', 'nightly order'],
    ['a single letter that is not there', 'report', 'x'],
  ])('not by %s', (_how, text, wanted) => expect(fit(text, wanted)).toBeNull())

  it('better the closer it is', () => {
    const texts = ['r-e-port', 'the report', 'reporter', 'preport', 'report']
    const order = texts.map((text) => ({ text, score: fit(text, 'report')?.score ?? 0 })).sort((one, other) => other.score - one.score).map(({ text }) => text)
    expect(order).toEqual(['report', 'reporter', 'the report', 'preport', 'r-e-port'])
  })
})
