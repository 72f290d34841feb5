import type { Messages } from '../en.ts'

export const params: Messages['params'] = {
  way: '参数填写方式', form: '表单', yes: '是', no: '否', preset: '默认：{value}', others: '另有表单之外的字段：{names}', noObject: '这不是 JSON 对象。处理器要求对象，改为对象后才能以表单显示。',
  anyway: '仍然执行', wouldRefuse: '处理器会拒绝这些参数，执行将失败。',
  problems: {
    required: '必填。', wrongType: '类型与处理器要求的不符。', notWhole: '须为整数。', tooSmall: '不得小于 {n}。', tooLarge: '不得大于 {n}。', tooShort: '至少 {n} 个字符。', tooLong: '最多 {n} 个字符。',
    badForm: '不匹配 {pattern}。', notOneOf: '只能是：{options}。', badJson: '不是有效的 JSON。', unknown: '处理器不认识：{names}。',
  },
}
