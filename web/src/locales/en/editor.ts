export const editor = { createTitle: 'New task', editTitle: 'Edit task' }
