// Changing a text through its document without reformatting what was not touched: the document is written out
// before and after the change, and only the lines that differ are carried over into the text as it stands.

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

/** Applies what differs between `before` and `after` to `text`, which says the same as `before`, line by line. */
export function carryOver(text: string, before: string, after: string): string {
  const lines = text.split('\n')
  const old = before.split('\n')
  const bare = (line: string) => line.replace(/\s+/g, ' ').trim()
  const same = lines.length === old.length && lines.every((line, at) => bare(line) === bare(old[at] ?? ''))
  if (!same) return after
  const fresh = after.split('\n')
  const kept = commonLines(old, fresh)
  return fresh.map((line, at) => (kept.has(at) ? (lines[kept.get(at) ?? 0] ?? line) : line)).join('\n')
}

/** Lines of `after` that stand in `before` too, with their place there: the longest common subsequence. */
function commonLines(before: readonly string[], after: readonly string[]): Map<number, number> {
  const width = after.length + 1
  const lengths = new Uint32Array((before.length + 1) * width)
  for (let a = before.length - 1; a >= 0; a--) {
    for (let b = after.length - 1; b >= 0; b--) {
      const here = a * width + b
      lengths[here] =
        before[a] === after[b]
          ? (lengths[here + width + 1] ?? 0) + 1
          : Math.max(lengths[here + width] ?? 0, lengths[here + 1] ?? 0)
    }
  }
  const common = new Map<number, number>()
  let a = 0
  let b = 0
  while (a < before.length && b < after.length) {
    if (before[a] === after[b]) common.set(b++, a++)
    else if ((lengths[(a + 1) * width + b] ?? 0) >= (lengths[a * width + b + 1] ?? 0)) a++
    else b++
  }
  return common
}
