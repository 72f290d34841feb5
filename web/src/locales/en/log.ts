export const log = {
  title: 'Log', search: 'Search the log', hits: '{at} of {count}', hitsCapped: '{at} of more than {count}', noHits: 'No match', searching: 'Searching…', next: 'Next match', previous: 'Previous match',
  level: 'Level', levels: { debug: 'All levels', info: 'Info and up', warn: 'Warnings and up', error: 'Errors' },
  stream: 'Output', allStreams: 'All output', streams: { stdout: 'Standard output', stderr: 'Standard error', log: 'Log calls', system: 'Tickwheel' },
  times: 'Times', wrap: 'Wrap lines', download: 'Download', view: 'View', follow: 'Follow', toEnd: 'Jump to the end', newLines: '{count} new line | {count} new lines',
  lines: 'No lines | {count} line | {count} lines', linesShown: '{shown} of {count} lines', behind: 'Catching up with the server…', loading: 'Reading…',
  gap: '{count} line was lost here | {count} lines were lost here', attempt: 'Attempt {n}', cut: '… {count} more characters: see the download', earlier: 'Show earlier lines', later: 'Show later lines',
  linkTo: 'Link to line {line}', label: 'Lines of the log', nothingPasses: 'No line passes the filter.', clearFilter: 'Show all lines',
  waiting: 'The run has not started yet. Its lines will appear here as they are printed.', silent: 'Nothing printed yet. Lines will appear here as they come.', nothing: 'This run printed nothing.',
  pruned: 'There are no lines. Either this run printed nothing, or its log is older than the retention time.', hidden: 'You may not see the logs of this group.',
}
