// Sums over messages.
import type { MessageStats } from '../../api/definitions.ts'
import type { MessageState } from '../../api/types.ts'

/** In the order in which a bar shows them. */
export const SHOWN: readonly MessageState[] = ['read', 'delivered', 'sent', 'queued', 'held', 'failed', 'suppressed']

/** Of those whose fate is known, the share that arrived; null when none is. */
export function deliveryRate(stats: MessageStats): number | null {
  const arrived = (stats.delivered ?? 0) + (stats.read ?? 0)
  const known = arrived + (stats.failed ?? 0)
  return known > 0 ? arrived / known : null
}
