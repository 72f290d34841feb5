export const executors = {}
