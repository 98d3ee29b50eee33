// What the counts of messages say together.
import type { MessageCounts } from '../../api/types.ts'

/** Messages that left, however they ended. `delivered` counts those that were read too only where the state moved on. */
export const left = (counts: MessageCounts): number => counts.sent + counts.delivered + counts.read + counts.failed

/** The share of messages that arrived among those whose end is known or under way; null before the first. */
export function arrivedShare(all: readonly MessageCounts[]): { delivered: number; sent: number; share: number | null } {
  const sent = all.reduce((sum, counts) => sum + left(counts), 0)
  const delivered = all.reduce((sum, counts) => sum + counts.delivered + counts.read, 0)
  return { delivered, sent, share: sent === 0 ? null : delivered / sent }
}
