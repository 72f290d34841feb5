import { alarms } from './en/alarms.ts'
import { access } from './en/access.ts'
import { audit } from './en/audit.ts'
import { backfill } from './en/backfill.ts'
import { common } from './en/common.ts'
import { dashboard } from './en/dashboard.ts'
import { editor } from './en/editor.ts'
import { errors, fields } from './en/errors.ts'
import { executors } from './en/executors.ts'
import { groups } from './en/groups.ts'
import { log } from './en/log.ts'
import { params } from './en/params.ts'
import { reasons } from './en/reasons.ts'
import { runs } from './en/runs.ts'
import { schedule } from './en/schedule.ts'
import { shell } from './en/shell.ts'
import { system } from './en/system.ts'
import { task } from './en/task.ts'
import { tasks } from './en/tasks.ts'
import { variables } from './en/variables.ts'
import { workflowRuns } from './en/workflow-runs.ts'
import { workflows } from './en/workflows.ts'

/** Every English text. Its shape is the shape of every language. */
export const en = { ...common, backfill, shell, dashboard, errors, fields, schedule, reasons, groups, tasks, editor, task, runs, log, params, executors, system, variables, workflowRuns, workflows, alarms, access, audit }

export type Messages = typeof en
