// Instants as people say them. All times are of the server's clock, which `setServerClock` tells.

let ahead_ms = 0

/** The demo's company lives in a time of its own, and browsers' clocks are wrong. */
export function setServerClock(now: string, local = Date.now()) {
  const difference = Date.parse(now) - local
  ahead_ms = Math.abs(difference) > 5_000 ? difference : 0
}

export const serverNow = (): number => Date.now() + ahead_ms

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** "3 minutes ago", "in 2 days"; under a minute "now" is precise enough. */
export function relative(at: number, now: number, language: string): string {
  const seconds = (at - now) / 1_000
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit)
  }
  return format.format(0, 'second')
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** "25 Nov 2026, 09:41:07" in the reader's time zone; without the date when asked. */
export function absolute(at: number, language: string, part: 'both' | 'date' | 'clock' = 'both'): string {
  const key = `${language} ${part}`
  let format = formats.get(key)
  if (!format) {
    const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
    const date = { day: 'numeric', month: 'short', year: 'numeric' } as const
    const options = part === 'both' ? { ...date, ...clock } : part === 'date' ? date : clock
    format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, options)
    formats.set(key, format)
  }
  return format.format(at)
}
