const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** A size in binary units with at most one decimal: `64 KiB`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let index = 0
  while (value >= 1024 && index < UNITS.length - 1) {
    value /= 1024
    index += 1
  }
  return `${value < 10 && index > 0 ? Math.round(value * 10) / 10 : Math.round(value)} ${UNITS[index] ?? 'B'}`
}
