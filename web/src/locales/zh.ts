import { common } from './zh/common.ts'
import { editor } from './zh/editor.ts'
import { errors, fields } from './zh/errors.ts'
import { executors } from './zh/executors.ts'
import { groups } from './zh/groups.ts'
import { log } from './zh/log.ts'
import { params } from './zh/params.ts'
import { reasons } from './zh/reasons.ts'
import { runs } from './zh/runs.ts'
import { schedule } from './zh/schedule.ts'
import { shell } from './zh/shell.ts'
import { system } from './zh/system.ts'
import { task } from './zh/task.ts'
import { tasks } from './zh/tasks.ts'
import type { Messages } from './en.ts'

/** Every Chinese text; a key that English has and Chinese lacks does not compile. */
export const zh: Messages = { ...common, shell, errors, fields, schedule, reasons, groups, tasks, editor, task, runs, log, params, executors, system }
