// In which order a table's rows stand, as the address says it: `entered`, or `-entered` from the highest down.
import type { SortingState } from '@tanstack/react-table'

/** What a row is ordered by; null has no place in the order and stands last. */
export type SortValue = string | number | null

export const readSort = (text: string): SortingState =>
  text === '' ? [] : [{ id: text.replace(/^-/, ''), desc: text.startsWith('-') }]

export const writeSort = ([first]: SortingState): string => (first ? `${first.desc ? '-' : ''}${first.id}` : '')

/** Numbers by size, words as the language files them, and numbers within words by size. */
export function comparer(language: string): (one: string | number, other: string | number) => number {
  const { compare } = new Intl.Collator(language, { numeric: true })
  return (one, other) =>
    typeof one === 'number' && typeof other === 'number' ? one - other : compare(String(one), String(other))
}
