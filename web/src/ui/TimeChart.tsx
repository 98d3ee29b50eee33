// The chart itself, by uPlot on a canvas: 100,000 points without stutter, and no inline style that a strict
// Content-Security-Policy would refuse. What it shows is also said in words.
import { type CSSProperties, useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useLanguage } from '../i18n.ts'
import styles from './Chart.module.css'
import { useUiTexts } from './texts.ts'
import { absolute } from './time.ts'

export interface ChartSeries {
  label: string
  values: readonly (number | null)[]
  /** A name from tokens.css without the dashes, as `series-1` or `good-mark`. */
  color?: string
  fill?: boolean
}

export interface ChartProps {
  label: string
  /** Seconds since 1970, ascending, one for each value. */
  times: readonly number[]
  series: readonly ChartSeries[]
  height?: number
  /** Steps instead of slopes: counts that jump. */
  stepped?: boolean
}

/** A token's colour as the canvas wants it: tokens are `light-dark(...)`, which only an element resolves. */
function resolver(element: HTMLElement) {
  const probe = element.appendChild(document.createElement('i'))
  const color = (token: string, alpha = 1) => {
    probe.style.color =
      alpha === 1 ? `var(--${token})` : `color-mix(in srgb, var(--${token}) ${alpha * 100}%, transparent)`
    return getComputedStyle(probe).color
  }
  return { color, done: () => probe.remove() }
}

function optionsFor(
  element: HTMLElement,
  props: ChartProps,
  language: string,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const { color, done } = resolver(element)
  const whole = new Intl.NumberFormat(language)
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })
  const number = (value: number) => (value < 10_000 ? whole : compact).format(value)
  const axis = {
    stroke: color('ink-faint'),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: color('line'), width: 1 },
    ticks: { show: false },
  }
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: props.height ?? 180,
    padding: [8, 8, 0, 0],
    cursor: { points: { size: 7 }, drag: { x: false, y: false } },
    legend: { show: false },
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), Math.max(high * 1.08, LEAST_HIGH)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 70,
        incrs: INCREMENTS,
        values: (plot, splits, _, __, increment) =>
          splits.map((at) =>
            plot.valToPos(at, 'x') + HALF_LABEL > plot.bbox.width / devicePixelRatio
              ? ''
              : clock(at, increment, language),
          ),
      },
      { ...axis, size: 46, space: 34, incrs: COUNTS, values: (_, splits) => splits.map(number) },
    ],
    series: [
      {},
      ...props.series.map((series, index) => {
        const token = series.color ?? `series-${index + 1}`
        return {
          label: series.label,
          stroke: color(token),
          fill: series.fill ? color(token, 0.12) : undefined,
          width: 1.75,
          points: { show: false },
          paths: props.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
        }
      }),
    ],
  }
  done()
  return options
}

/** Whole seconds to months: a label says no less than a second. */
const INCREMENTS = [1, 5, 10, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200].concat(
  [1, 2, 3, 7, 14, 30, 60, 90, 180, 365].map((days) => days * 86_400),
)
/** Counts have no fractions. */
const COUNTS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()
/** Of nothing, too, a chart has a height. */
const LEAST_HIGH = 4
/** So much of a label stands right of its place, in pixels; one that would be cut off is left out. */
const HALF_LABEL = 24

function clock(at: number, increment: number, language: string): string {
  const style: Intl.DateTimeFormatOptions =
    increment >= 86_400
      ? { day: 'numeric', month: 'short' }
      : increment >= 60
        ? { hour: '2-digit', minute: '2-digit' }
        : { hour: '2-digit', minute: '2-digit', second: '2-digit' }
  return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, style).format(at * 1000)
}

export default function TimeChart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [language] = useLanguage()
  const t = useUiTexts()
  const [point, setPoint] = useState<number | null>(null)
  const data = useMemo(
    () => [[...props.times], ...props.series.map((series) => [...series.values])] as uPlot.AlignedData,
    [props.times, props.series],
  )
  const latest = useRef({ props, data })
  latest.current = { props, data }
  const shape = JSON.stringify([
    props.series.map((series) => [series.label, series.color, series.fill]),
    props.height,
    props.stepped,
  ])
  // biome-ignore lint/correctness/useExhaustiveDependencies: built anew only when its shape changes; new data flow in below
  useEffect(() => {
    const element = holder.current
    if (!element) return
    const build = () => {
      plot.current?.destroy()
      plot.current = new uPlot(
        optionsFor(element, latest.current.props, language, setPoint),
        latest.current.data,
        element,
      )
    }
    build()
    const size = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: props.height ?? 180 }),
    )
    size.observe(element)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', build)
    const theme = new MutationObserver(build)
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => {
      size.disconnect()
      scheme.removeEventListener('change', build)
      theme.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [shape, language])
  useEffect(() => plot.current?.setData(data), [data])
  const said = props.series.map((series) => {
    const values = series.values.filter((value) => value !== null)
    return t('chart_range', {
      label: series.label,
      low: values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY),
      high: values.reduce((high, value) => Math.max(high, value), 0),
      now: values.at(-1) ?? 0,
    })
  })
  const shown = point ?? props.times.length - 1
  const at = props.times[shown]
  const exact = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  return (
    <div>
      <div ref={holder} className={styles.chart} role="img" aria-label={`${props.label}. ${said.join('. ')}`} />
      <ul className={styles.legend} aria-hidden>
        {props.series.map((series, index) => (
          <li key={series.label}>
            <i style={{ '--key': `var(--${series.color ?? `series-${index + 1}`})` } as CSSProperties} />
            {series.label} <b>{exact.format(series.values[shown] ?? 0)}</b>
          </li>
        ))}
        {point !== null && at !== undefined && <li className="muted">{absolute(at * 1000, language)}</li>}
      </ul>
    </div>
  )
}
