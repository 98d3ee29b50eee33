// How well messages arrive: one definition for every page. What is under way is neither here nor there.
import type { MessageCounts } from '../api/types.ts'

export interface Arrived {
  arrived: number
  /** Those whose end is known: arrived or failed. */
  known: number
  /** Null before the first. */
  share: number | null
}

export function arrivedShare(all: readonly Partial<MessageCounts>[]): Arrived {
  let [arrived, failed] = [0, 0]
  for (const counts of all) {
    arrived += (counts.delivered ?? 0) + (counts.read ?? 0)
    failed += counts.failed ?? 0
  }
  const known = arrived + failed
  return { arrived, known, share: known > 0 ? arrived / known : null }
}
