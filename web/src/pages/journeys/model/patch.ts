// Changing a text through its document without reformatting what was not touched: the document is written out
// before and after the change, and only the lines that differ are carried over into the text as it stands.

import { diffArrays } from 'diff'
import { type Document, parseDocument } from 'yaml'

const WRITTEN = { flowCollectionPadding: false, lineWidth: 0 } as const

/** The text with one change made to its document. A text that is not YAML stays as it is. */
export function change(text: string, make: (doc: Document) => void): string {
  const doc = parseDocument(text)
  if (doc.errors.length > 0) return text
  const before = doc.toString(WRITTEN)
  make(doc)
  const after = doc.toString(WRITTEN)
  if (before === after) return text
  return carryOver(text, before, after)
}

/** Applies what differs between `before` and `after` to `text`, which says the same as `before` in its own way. */
export function carryOver(text: string, before: string, after: string): string {
  const own = text.split('\n')
  const old = before.split('\n')
  const fresh = after.split('\n')
  const kept = commonLines(old, fresh)
  const written = ownWay(own, old)
  const lines: string[] = []
  for (let at = 0; at < fresh.length; ) {
    const from = kept.get(at)
    const piece = from === undefined ? undefined : written.get(from)
    const whole = piece && Array.from({ length: piece.length }, (_, step) => kept.get(at + step) === (from ?? 0) + step)
    if (piece && whole?.every(Boolean)) {
      lines.push(...piece.lines)
      at += piece.length
    } else {
      lines.push(fresh[at] ?? '')
      at++
    }
  }
  return lines.join('\n')
}

/** How `text` writes the lines of `before`, by where they begin there; lines that were folded otherwise are one piece. */
function ownWay(text: readonly string[], before: readonly string[]) {
  const bare = (line: string) => line.replace(/\s+/g, ' ').trim()
  const same = commonLines(text.map(bare), before.map(bare))
  const pieces = new Map<number, { length: number; lines: string[] }>()
  let at = 0
  for (let line = 0; line < before.length; ) {
    let end = line
    while (end < before.length && !same.has(end)) end++
    const next = same.get(end) ?? text.length
    if (end > line) pieces.set(line, { length: end - line, lines: text.slice(at, next) })
    // Lines that only the text has stay before the line that follows them.
    const extra = end > line ? [] : text.slice(at, next)
    if (end < before.length) pieces.set(end, { length: 1, lines: [...extra, text[next] ?? ''] })
    at = next + 1
    line = end + 1
  }
  return pieces
}

/** Lines of `after` that stand in `before` too, with their place there. */
function commonLines(before: readonly string[], after: readonly string[]): Map<number, number> {
  const common = new Map<number, number>()
  let [a, b] = [0, 0]
  for (const { added, removed, count } of diffArrays([...before], [...after])) {
    if (!added && !removed) for (let line = 0; line < count; line++) common.set(b + line, a + line)
    if (!added) a += count
    if (!removed) b += count
  }
  return common
}
