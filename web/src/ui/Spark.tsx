// Small pictures of numbers that need no library: a line in a row of a table, and shares of a whole.

import { localeOf, useLanguage } from '../i18n.ts'
import { join } from './class.ts'
import styles from './Spark.module.css'
import type { Tone } from './State.tsx'
import { useUiTexts } from './texts.ts'

const WIDTH = 100
const HEIGHT = 28

/** The points of a line over `values`, in a box of 100 x 28; flat at the bottom when all are zero. */
export function sparkPath(values: readonly number[]): string {
  if (values.length === 0) return ''
  const high = Math.max(...values, 0)
  const low = Math.min(...values, 0)
  const range = high - low || 1
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0
  return values
    .map((value, at) => `${(at * step).toFixed(1)},${(HEIGHT - 1 - ((value - low) / range) * (HEIGHT - 3)).toFixed(1)}`)
    .join(' ')
}

export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const t = useUiTexts()
  const points = sparkPath(values)
  const said = t('chart_range', {
    label,
    low: Math.min(...values, Number.POSITIVE_INFINITY),
    high: Math.max(...values, 0),
    now: values.at(-1) ?? 0,
  })
  return (
    <svg
      className={join(styles.spark, values.every((value) => value === 0) && styles.flat)}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={said}
    >
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} className={styles.area} />
      <polyline points={points} className={styles.line} />
    </svg>
  )
}

export interface Share {
  key: string
  label: string
  value: number
  /** `deep`: better still than good; `pale`: not begun. */
  tone: Tone | 'deep' | 'pale'
}

/** One bar, divided; every part is named below it. */
export function Shares({
  shares,
  label,
  legend = true,
}: {
  shares: readonly Share[]
  label: string
  legend?: boolean
}) {
  const [language] = useLanguage()
  const total = shares.reduce((sum, share) => sum + share.value, 0)
  const said = shares.map((share) => `${share.label} ${share.value}`).join(', ')
  return (
    <div className={styles.shares}>
      <div className={styles.bar} role="img" aria-label={`${label}: ${said}`}>
        {shares
          .filter((share) => share.value > 0)
          .map((share) => (
            <span
              key={share.key}
              className={styles[share.tone]}
              style={{ flexGrow: share.value / (total || 1) }}
              title={`${share.label}: ${share.value.toLocaleString(localeOf(language))}`}
            />
          ))}
      </div>
      {legend && <Legend shares={shares} numbers />}
    </div>
  )
}

/** What the colours of a bar mean; once above many bars, or with the numbers below one. */
export function Legend({ shares, numbers }: { shares: readonly Share[]; numbers?: boolean }) {
  const [language] = useLanguage()
  return (
    <ul className={styles.legend} aria-hidden>
      {shares.map((share) => (
        <li key={share.key}>
          <i className={join(styles.key, styles[share.tone])} />
          {share.label} {numbers && <b>{share.value.toLocaleString(localeOf(language))}</b>}
        </li>
      ))}
    </ul>
  )
}
