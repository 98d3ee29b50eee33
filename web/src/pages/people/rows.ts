// The timeline as rows to draw: days, and what happened on them.
import type { TimelineItem } from '../../api/types.ts'

export type Row = { day: string; key: string } | { item: TimelineItem; key: string }

const dayOf = (at: string): string => new Date(at).toDateString()

/** Items come newest first; each day starts with a row of its own. */
export function rowsOf(items: readonly TimelineItem[]): Row[] {
  const rows: Row[] = []
  let day = ''
  for (const item of items) {
    const next = dayOf(item.at)
    if (next !== day) rows.push({ day: item.at, key: `day ${next}` })
    day = next
    rows.push({ item, key: item.id })
  }
  return rows
}
