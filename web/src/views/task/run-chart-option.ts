import type { InstanceListItem } from '@tickwheel/contract'
import type { BarSeriesOption } from 'echarts/charts'
import type { GridComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import { isEnded, RUN_STATES, type RunState } from '../../components/run-state.ts'
import { formatDuration } from '../../utils/duration.ts'
import { scaleOf, type DurationScale } from './duration-scale.ts'

export type RunChartOption = ComposeOption<BarSeriesOption | GridComponentOption | TooltipComponentOption>

export interface ChartColours {
  readonly states: Readonly<Record<RunState, string>>
  readonly line: string
  readonly foot: string
  readonly label: string
  readonly hover: string
}

/** How long a run ran; so far, when it still runs; null when it never began. */
export function durationOf(run: Pick<InstanceListItem, 'startedAt' | 'endedAt'>, nowMs: number): number | null {
  if (run.startedAt === null) return null
  return Math.max(0, (run.endedAt === null ? nowMs : Date.parse(run.endedAt)) - Date.parse(run.startedAt))
}

/** The scale that suits these runs. */
export function scaleOfRuns(runs: readonly InstanceListItem[], nowMs: number): DurationScale {
  return scaleOf(runs.flatMap((run) => durationOf(run, nowMs) ?? []))
}

/** The design tokens of the theme that is shown now: a canvas cannot read them by itself. */
export function readColours(): ChartColours {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const colourOf = (state: RunState) => token(`state-${state}`)
  const states: Record<RunState, string> = {
    waiting: colourOf('waiting'), queued: colourOf('queued'), dispatched: colourOf('dispatched'), running: colourOf('running'), succeeded: colourOf('succeeded'),
    failed: colourOf('failed'), timedOut: colourOf('timedOut'), canceled: colourOf('canceled'), lost: colourOf('lost'), skipped: colourOf('skipped'),
  }
  return { states, line: token('border'), foot: token('border-strong'), label: token('text-2'), hover: token('bg-hover') }
}

export interface RunChartInput {
  /** oldest first */
  readonly runs: readonly InstanceListItem[]
  /** places for runs; those that are not there are left empty on the left */
  readonly slots: number
  readonly nowMs: number
  readonly colours: ChartColours
  readonly font: string
}

/** One bar for each run: its height is the duration, its colour the state. A run without a duration keeps a low bar, so that it can be seen and pointed at. */
export function runChartOption({ runs, slots, nowMs, colours, font }: RunChartInput): RunChartOption {
  const scale = scaleOfRuns(runs, nowMs)
  const labels = new Map(scale.lines.map((line) => [line.at, formatDuration(line.ms)]))
  const empty = Array.from({ length: Math.max(0, slots - runs.length) }, () => '-' as const)
  const bars = runs.map((run) => ({ value: scale.place(durationOf(run, nowMs) ?? 0), itemStyle: { color: colours.states[run.state], opacity: isEnded(run.state) ? 0.85 : 0.5 } }))
  return {
    animation: false,
    textStyle: { fontFamily: font },
    grid: { left: 0, right: 0, top: 10, bottom: 2, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow', shadowStyle: { color: colours.hover, opacity: 1 }, z: -1 }, appendTo: 'body', confine: true, transitionDuration: 0, padding: 0, borderWidth: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow: none; z-index: 3000' },
    xAxis: { type: 'category', data: [...empty, ...runs.map((run) => String(run.id))], axisTick: { show: false }, axisLabel: { show: false }, axisLine: { lineStyle: { color: colours.foot } } },
    yAxis: {
      type: 'value', min: 0, max: scale.top,
      axisTick: { show: false, customValues: [...labels.keys()] },
      axisLabel: { customValues: [...labels.keys()], color: colours.label, fontSize: 12, margin: 8, formatter: (at: number) => labels.get(at) ?? '' },
      splitLine: { lineStyle: { color: colours.line } },
    },
    series: [{ type: 'bar', data: [...empty, ...bars], barCategoryGap: '20%', barMaxWidth: 10, barMinHeight: 3, emphasis: { disabled: true }, cursor: 'pointer' }],
  }
}

/** The states of these runs with how many of each, in the order in which the console lists states. */
export function statesOfRuns(runs: readonly InstanceListItem[]): { readonly state: RunState; readonly count: number }[] {
  return RUN_STATES.map((state) => ({ state, count: runs.filter((run) => run.state === state).length })).filter(({ count }) => count > 0)
}
