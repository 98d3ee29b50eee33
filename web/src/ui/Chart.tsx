// Lines over time. The library comes only when a chart is shown.
import { lazy, Suspense } from 'react'
import styles from './Chart.module.css'
import type { ChartProps } from './TimeChart.tsx'

const TimeChart = lazy(() => import('./TimeChart.tsx'))

export type { ChartProps, ChartSeries } from './TimeChart.tsx'

export function Chart(props: ChartProps) {
  const height = props.height ?? 180
  return (
    <Suspense fallback={<div className={styles.room} style={{ height }} />}>
      <TimeChart {...props} height={height} />
    </Suspense>
  )
}
