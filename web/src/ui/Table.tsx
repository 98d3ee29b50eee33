// A table of any length: only the rows that can be seen are in the document. Columns share one grid; on narrow
// screens some are left out. `j` and `k` move, Enter opens. A row that leads somewhere is a link in its first cell.
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import {
  type CSSProperties,
  type MouseEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { join } from './class.ts'
import { isForPage } from './keys.ts'
import { Link, useFollow } from './Link.tsx'
import styles from './Table.module.css'
import { useUiTexts } from './texts.ts'

export interface Column<T> {
  key: string
  header: ReactNode
  cell: (row: T) => ReactNode
  /** A track of the grid, as `minmax(8rem, 2fr)`. */
  width?: string
  align?: 'right'
  /** False: left out on narrow screens. A width: what it takes there. */
  narrow?: false | string
}

interface TableProps<T> {
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
  rowHref?: (row: T) => string | null
  onRow?: (row: T) => void
  /** The row whose detail is shown elsewhere. */
  selected?: string | null
  /** Listens to j, k and Enter. One table of a page. */
  main?: boolean
  /** The last rows come into sight: fetch more. */
  onEnd?: () => void
  more?: boolean
  rowHeight?: number
}

const FROM_END = 12
const OVERSCAN = 8

export function Table<T>(props: TableProps<T>) {
  const { columns, rows, rowKey, rowHref, onRow, selected, main, onEnd, more, rowHeight = 40 } = props
  const t = useUiTexts()
  const body = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState(0)
  const active = useRef(-1)
  useLayoutEffect(() => {
    const measure = () => body.current && setOffset(body.current.getBoundingClientRect().top + window.scrollY)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    scrollMargin: offset,
  })
  const shown = virtual.getVirtualItems()
  const last = shown.at(-1)?.index ?? -1
  useEffect(() => {
    if (more && last >= rows.length - FROM_END) onEnd?.()
  }, [more, last, rows.length, onEnd])

  const move = useCallback(
    (to: number) => {
      active.current = Math.max(0, Math.min(rows.length - 1, to))
      virtual.scrollToIndex(active.current, { align: 'auto' })
      const focus = () => {
        const row = body.current?.querySelector<HTMLElement>(`[data-index="${active.current}"]`)
        const first = row?.querySelector<HTMLElement>('a, button')
        first?.focus({ preventScroll: true })
        return first
      }
      // A row that was out of sight is drawn with the next frame.
      if (!focus()) requestAnimationFrame(focus)
    },
    [rows.length, virtual],
  )
  useEffect(() => {
    if (!main) return
    const listen = (event: KeyboardEvent) => {
      if (!isForPage(event) || rows.length === 0) return
      if (event.key !== 'j' && event.key !== 'k') return
      event.preventDefault()
      move(active.current + (event.key === 'j' ? 1 : -1))
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [main, rows.length, move])

  const tracks = {
    '--wide': columns.map((column) => column.width ?? 'minmax(0, 1fr)').join(' '),
    '--narrow': columns
      .filter((column) => column.narrow !== false)
      .map((column) => column.narrow || column.width || 'minmax(0, 1fr)')
      .join(' '),
    '--row': `${rowHeight}px`,
  } as CSSProperties
  const cellClass = (column: Column<T>) =>
    join(styles.cell, column.align === 'right' && styles.right, column.narrow === false && styles.wideOnly)
  return (
    <>
      <div
        className={styles.table}
        style={tracks}
        role="table"
        aria-label={props.label}
        aria-rowcount={rows.length + 1}
      >
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className={styles.head}>
            {columns.map((column) => (
              <div key={column.key} role="columnheader" className={cellClass(column)}>
                {column.header}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" ref={body} className={styles.body} style={{ height: virtual.getTotalSize() }}>
          {shown.map((item) => {
            const row = rows[item.index]
            if (row === undefined) return null
            const key = rowKey(row)
            return (
              <Row
                key={key}
                index={item.index}
                top={item.start - offset}
                href={rowHref?.(row) ?? null}
                onPress={onRow ? () => onRow(row) : undefined}
                selected={selected === key}
                cells={columns.map((column) => ({
                  key: column.key,
                  className: cellClass(column),
                  content: column.cell(row),
                }))}
              />
            )
          })}
        </div>
      </div>
      {more && (
        <div className={styles.more} role="status">
          {t('rows_more')}
        </div>
      )}
    </>
  )
}

interface RowProps {
  index: number
  top: number
  href: string | null
  onPress?: () => void
  selected: boolean
  cells: { key: string; className: string; content: ReactNode }[]
}

function Row({ index, top, href, onPress, selected, cells }: RowProps) {
  const follow = useFollow()
  const leads = href !== null || onPress !== undefined
  const press = (event: MouseEvent<HTMLElement>) => {
    // A link, a button or a selection within the row is meant itself.
    if ((event.target as HTMLElement).closest('a, button') || window.getSelection()?.toString()) return
    if (onPress) onPress()
    else if (href !== null) follow(href, event)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard takes the link or button in the first cell
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected || undefined}
      data-index={index}
      className={join(styles.row, leads && styles.leads, selected && styles.selected)}
      style={{ transform: `translateY(${top}px)` }}
      onClick={leads ? press : undefined}
    >
      {cells.map((cell, place) => (
        <div key={cell.key} role="cell" className={cell.className}>
          {place === 0 && href !== null ? (
            <Link href={href} className={styles.first}>
              {cell.content}
            </Link>
          ) : place === 0 && onPress ? (
            <button type="button" className={styles.first} onClick={onPress}>
              {cell.content}
            </button>
          ) : (
            cell.content
          )}
        </div>
      ))}
    </div>
  )
}
