import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import type { GridComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import type { DashboardHour } from '../../api/dashboard.ts'
import { formatDuration } from '../../utils/duration.ts'
import { STACK, type ChartColours } from './chart-colours.ts'

export type ChartOption = ComposeOption<BarSeriesOption | LineSeriesOption | GridComponentOption | TooltipComponentOption>

/** The colours and the font of the page. */
export interface Look {
  readonly colours: ChartColours
  readonly font: string
}

/** What every chart of the dashboard shares: the page's font and colours, no animation, a pointer that is drawn behind. */
interface Frame extends Look {
  /** of the axis below, one for each place */
  readonly labels: readonly string[]
}

function frame({ colours, font, labels }: Frame) {
  return {
    animation: false,
    textStyle: { fontFamily: font },
    grid: { left: 0, right: 4, top: 10, bottom: 0, outerBoundsMode: 'same' as const, outerBoundsContain: 'axisLabel' as const },
    tooltip: { trigger: 'axis' as const, axisPointer: { type: 'shadow' as const, shadowStyle: { color: colours.hover, opacity: 1 }, z: -1 }, appendTo: 'body', confine: true, transitionDuration: 0, padding: 0, borderWidth: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow: none; z-index: 3000' },
    xAxis: { type: 'category' as const, data: [...labels], axisTick: { show: false }, axisLabel: { color: colours.label, fontSize: 12, margin: 6, hideOverlap: true, interval: (index: number) => labels[index] !== '' }, axisLine: { lineStyle: { color: colours.foot } } },
  }
}

const valueAxis = (colours: ChartColours) => ({
  type: 'value' as const, min: 0, minInterval: 1, splitNumber: 3, axisLabel: { color: colours.label, fontSize: 12, margin: 8, formatter: shortCount }, splitLine: { lineStyle: { color: colours.line } },
})

/** `1200` is `1.2k`, so that an axis stays narrow. */
export function shortCount(value: number): string {
  if (value < 1000) return String(value)
  return value < 1_000_000 ? `${Math.round(value / 100) / 10}k` : `${Math.round(value / 100_000) / 10}M`
}

/** A stack for each hour. What happened once can be seen beside what happened ten thousand times. */
export function outcomeOption(hours: readonly DashboardHour[], given: Frame): ChartOption {
  return {
    ...frame(given),
    yAxis: valueAxis(given.colours),
    series: STACK.map((outcome) => ({
      type: 'bar' as const, stack: 'outcomes', name: outcome, barCategoryGap: '20%', barMaxWidth: 24, barMinHeight: 3, itemStyle: { color: given.colours.states[outcome], opacity: outcome === 'succeeded' ? 0.75 : 1 }, emphasis: { disabled: true }, cursor: 'pointer',
      data: hours.map((hour) => (hour[outcome] === 0 ? '-' : hour[outcome])),
    })),
  }
}

const LEAST_MS = 1
/** of more points the dots would hide the line */
const MOST_DOTS = 50

/** Two lines over a logarithmic axis: what half of the starts keep to, and what all but one in a hundred do. */
export function latenessOption(hours: readonly DashboardHour[], given: Frame): ChartOption {
  const { colours } = given
  const line = (name: 'p50Ms' | 'p99Ms', look: { color: string; type: 'solid' | 'dashed' }): LineSeriesOption => ({
    type: 'line', name, lineStyle: { color: look.color, type: look.type, width: 2 }, itemStyle: { color: look.color }, symbol: 'circle', symbolSize: 5, showSymbol: hours.length <= MOST_DOTS, showAllSymbol: true, connectNulls: false, emphasis: { disabled: true },
    data: hours.map((hour) => (hour[name] === null ? '-' : Math.max(LEAST_MS, hour[name]))),
  })
  return {
    ...frame(given),
    yAxis: { type: 'log', logBase: 10, min: LEAST_MS, axisLabel: { color: colours.label, fontSize: 12, margin: 8, formatter: (ms: number) => formatDuration(ms) }, splitLine: { lineStyle: { color: colours.line } } },
    series: [line('p99Ms', { color: colours.primary, type: 'solid' }), line('p50Ms', { color: colours.quiet, type: 'dashed' })],
  }
}

/** A bar for each of the next minutes. */
export function comingOption(minutes: readonly number[], given: Frame): ChartOption {
  return {
    ...frame(given),
    yAxis: valueAxis(given.colours),
    series: [{ type: 'bar', name: 'firings', barCategoryGap: '20%', barMaxWidth: 16, barMinHeight: 3, itemStyle: { color: given.colours.primary }, emphasis: { disabled: true }, data: minutes.map((n) => (n === 0 ? '-' : n)) }],
  }
}
