export const impact = {
  title: 'What saving changes', wait: 'Looking at the next 30 days…', none: 'The next 30 days stay as they are: {n} firing. | The next 30 days stay as they are: {n} firings.', unknown: 'What changes cannot be told: when it fires depends on when its runs end.',
  counts: 'Next 30 days: {before} firings now, {after} after.', capped: 'Compared until {until}; there are too many firings to go further.', off: 'It is stopped: this holds once it is started.', failed: 'What changes cannot be told just now.',
  added: '{n} added | {n} added', removed: '{n} removed | {n} removed', moved: '{n} moved | {n} moved', more: 'and {n} more', all: 'Show more', arrow: '{from} → {to}',
}
