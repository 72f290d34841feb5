/** The design tokens of the theme that is shown now: a canvas cannot read them by itself. */
export interface ChartColours {
  readonly states: Readonly<Record<OutcomeName, string>>
  readonly primary: string
  readonly quiet: string
  readonly line: string
  readonly foot: string
  readonly label: string
  readonly hover: string
}

/** In the order in which they are stacked: what is wrong stands on the ground, so that its height compares from hour to hour. */
export const STACK = ['failed', 'timedOut', 'lost', 'canceled', 'skipped', 'succeeded'] as const
export type OutcomeName = (typeof STACK)[number]

export function readChartColours(): ChartColours {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const of = (name: OutcomeName) => token(`state-${name}`)
  const states = { failed: of('failed'), timedOut: of('timedOut'), lost: of('lost'), canceled: of('canceled'), skipped: of('skipped'), succeeded: of('succeeded') }
  return { states, primary: token('primary'), quiet: token('text-3'), line: token('border'), foot: token('border-strong'), label: token('text-2'), hover: token('bg-hover') }
}
