export const tasks = {
  title: 'Tasks', create: 'New task',
  search: 'Search by name', allGroups: 'All groups', allStates: 'On and off', on: 'On', off: 'Off', allSchedules: 'All schedules', allHandlers: 'All handlers', tag: 'Tag: {tag}',
  handlers: { shell: 'Shell', script: 'Script', http: 'HTTP', named: 'Function' },
  columns: { enabled: 'On', name: 'Task', schedule: 'Schedule', next: 'Next firing', recent: 'Last 20 runs' },
  switchOn: 'Start the schedule of {name}', switchOff: 'Stop the schedule of {name}', noSchedule: 'This task has no schedule to start.',
  run: 'Run', runTitle: 'Run {name} now', moreTitle: 'More actions for {name}', started: 'Run of “{name}” started.', openRun: 'Open it',
  menu: { edit: 'Edit', trigger: 'Run with parameters…', copy: 'Copy', history: 'Versions', runs: 'Runs', delete: 'Delete' },
  next: { none: '–', afterRun: 'after the run', held: 'Held back', due: 'due' },
  bars: { summary: 'Last {n} run: {states} | Last {n} runs: {states}', none: 'No runs yet' },
  deleteTitle: 'Delete task “{name}”?', deleteText: 'The task “{name}” of group “{group}” with its {n} version and its schedule is deleted. Its past runs stay. | The task “{name}” of group “{group}” with its {n} versions and its schedule is deleted. Its past runs stay.',
  deleteConfirm: 'Delete task', deleteOpen: '“{name}” has {n} run that has not ended. It will be canceled. | “{name}” has {n} runs that have not ended. They will be canceled.', deleteOpenSome: '“{name}” has runs that have not ended. They will be canceled.', deleteOpenConfirm: 'Cancel runs and delete', deleted: 'Task “{name}” is deleted.',
  trigger: {
    title: 'Run “{name}”', params: 'Parameters', paramsHint: 'For this run only. The task keeps its own.', reset: 'Back to the task’s own', executor: 'Executor', anyExecutor: 'Any, by the routing of the task', chosenHint: 'Waits when this executor is offline or full.',
    submit: 'Run now', jsonBroken: 'This is not valid JSON. It can be sent all the same.', hidden: 'You may not see the parameters of this task.',
  },
  empty: {
    title: 'Nothing is scheduled yet', text: 'A task is something to run and when to run it. Start with your own, or look at three samples: one that runs every 5 seconds, one that writes its log for a minute, and one that fails.',
    create: 'New task', samples: 'Create the three samples', made: 'The samples are running. Open one to see its log.',
    fiveSeconds: 'sample-5-seconds', minute: 'sample-minute-log', fails: 'sample-failing',
    fiveSecondsAbout: 'Prints a line every 5 seconds.', minuteAbout: 'Prints a line a second for a minute: open its run and watch the log.', failsAbout: 'Fails after its retry, so that you see what a failure looks like.',
  },
  versions: {
    title: 'Versions of “{name}”', current: 'now', savedBy: 'by {name}', bySystem: 'by Tickwheel', restore: 'Restore this version', restoreTitle: 'Restore version {version}?',
    restoreText: '“{name}” becomes as it was in version {version}; the present state stays in the history as version {current}.', restored: 'Version {version} is restored.', same: 'The same as the present version.', first: 'First version', differences: 'Compared with the present version', added: 'only now', removed: 'only then',
    then: 'Version {version}', now: 'Present', emptyValue: 'empty',
  },
}
