export const groups = {
  title: 'Groups', create: 'New group', editTitle: 'Edit group “{name}”', createTitle: 'New group',
  search: 'Search by name', name: 'Name', appName: 'Application name', description: 'Description', tasks: 'Tasks', executors: 'Executors', updated: 'Changed',
  concurrency: 'Runs at once', concurrencyHint: 'At most so many runs of this group are at executors at the same time, over all nodes. 0: no limit.',
  appNameHint: 'Executors name it when they join. Lower-case letters, digits and hyphens, such as billing-jobs.',
  appNameBad: '2 to 64 characters: lower-case letters, digits and hyphens, beginning with a letter.',
  appNameChanged: '{n} executor serves this group under the old name. It keeps running until it registers again. | {n} executors serve this group under the old name. They keep running until they register again.',
  nameMissing: 'Enter a name.', nameSlash: 'A name has no slash: it separates group and task.',
  deleteTitle: 'Delete group “{name}”?', deleteText: 'The group “{name}” ({appName}) is deleted. Executors that name it can no longer join. The history of its runs stays.', deleteConfirm: 'Delete group',
  notEmpty: 'This group still has {n} task. Move or delete it first. | This group still has {n} tasks. Move or delete them first.',
  created: 'Group “{name}” is created.', saved: 'Group “{name}” is saved.', deleted: 'Group “{name}” is deleted.',
  stale: 'Somebody has changed this group in the meantime. The fields now show the newest values.',
  emptyTitle: 'No groups yet', emptyText: 'A group joins tasks with the executors that run them.',
}
