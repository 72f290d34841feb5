export const log = {
  title: 'Log', search: 'Search the log', hits: '{at} of {n}', hitsCapped: '{at} of more than {n}', noHits: 'No match', searching: 'Searching…', next: 'Next match', previous: 'Previous match',
  level: 'Level', levels: { debug: 'All levels', info: 'Info and above', warn: 'Warnings and errors', error: 'Errors' },
  stream: 'Output', allStreams: 'All output', streams: { stdout: 'Standard output', stderr: 'Standard error', log: 'Log calls', system: 'Tickwheel' },
  times: 'Times', wrap: 'Wrap lines', download: 'Download', downloading: 'The download has started.', view: 'View', follow: 'Follow', toEnd: 'Jump to the end', newLines: '{n} new line | {n} new lines', toStart: 'Jump to the beginning',
  lines: 'No lines | {n} line | {n} lines', linesShown: '{shown} of {n} lines', behind: 'Catching up with the server…', loading: 'Reading…',
  gap: '{n} line was lost here | {n} lines were lost here', attempt: 'Attempt {n}', cut: '… {n} more characters: see the download', earlier: 'Show earlier lines', later: 'Show later lines',
  linkTo: 'Link to line {line}', label: 'Lines of the log', nothingPasses: 'No line passes the filter.', clearFilter: 'Show all lines',
  waiting: 'The run has not started yet. Its lines will appear here as they are printed.', silent: 'Nothing printed yet. Lines will appear here as they come.', nothing: 'This run printed nothing.',
  pruned: 'There are no lines. Either this run printed nothing, or its log is older than the retention time.', hidden: 'You may not see the logs of this group.',
}
