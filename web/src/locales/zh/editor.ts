export const editor = { createTitle: '新建任务', editTitle: '编辑任务' }
