// A table of any length: only the rows that can be seen are in the document. Columns share one grid; on narrow
// screens some are left out. `j` and `k` move, Enter opens. A row that leads somewhere is a link in its first cell.
// A list that is there as a whole can be sorted by the heads of its columns.
import type { ColumnDefTemplate, RowData } from '@tanstack/react-table'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp } from 'lucide-react'
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
import type { SortValue } from './sort.ts'
import styles from './Table.module.css'
import { useUiTexts } from './texts.ts'
import { useRowModel } from './useRowModel.ts'

export interface Column<T> {
  key: string
  header: ReactNode
  cell: (row: T) => ReactNode
  /** A track of the grid, as `minmax(8rem, 2fr)`. */
  width?: string
  align?: 'right'
  /** False: left out on narrow screens. A width: what it takes there. */
  narrow?: false | string
  /** What the rows can be ordered by here. */
  sort?: (row: T) => SortValue
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
  /** The order that was chosen, as `readSort` reads it. */
  sort?: string
  /** The columns that have a `sort` can be pressed. For lists that are not paged: those keep the server's order. */
  onSort?: (sort: string) => void
}

const ORDERS = { asc: 'ascending', desc: 'descending' } as const
const FROM_END = 12
const OVERSCAN = 8

export function Table<T extends RowData>(props: TableProps<T>) {
  const { columns, rowKey, rowHref, onRow, selected, main, onEnd, more, rowHeight = 40, sort = '', onSort } = props
  const t = useUiTexts()
  const body = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState(0)
  const active = useRef(-1)
  const table = useRowModel({ columns, rows: props.rows, rowKey, sort, onSort })
  const { rows } = table.getRowModel()
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
  const classes = columns.map((column) =>
    join(styles.cell, column.align === 'right' && styles.right, column.narrow === false && styles.wideOnly),
  )
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
            {table.getFlatHeaders().map((header) => {
              const { column } = header
              const content = draw(column.columnDef.header, header.getContext())
              const sorted = column.getIsSorted()
              return (
                <div
                  key={header.id}
                  role="columnheader"
                  className={classes[header.index]}
                  aria-sort={column.getCanSort() ? (sorted ? ORDERS[sorted] : 'none') : undefined}
                >
                  {column.getCanSort() ? (
                    <button
                      type="button"
                      className={join(styles.sort, sorted && styles.sorted)}
                      onClick={column.getToggleSortingHandler()}
                    >
                      <span className={styles.name}>{content}</span>
                      {sorted === 'desc' ? <ArrowDown aria-hidden /> : <ArrowUp aria-hidden />}
                    </button>
                  ) : (
                    content
                  )}
                </div>
              )
            })}
          </div>
        </div>
        <div role="rowgroup" ref={body} className={styles.body} style={{ height: virtual.getTotalSize() }}>
          {shown.map((item) => {
            const row = rows[item.index]
            if (row === undefined) return null
            return (
              <Row
                key={row.id}
                index={item.index}
                top={item.start - offset}
                href={rowHref?.(row.original) ?? null}
                onPress={onRow ? () => onRow(row.original) : undefined}
                selected={selected === row.id}
                cells={row.getAllCells().map((cell, place) => ({
                  key: cell.column.id,
                  className: classes[place] ?? '',
                  content: draw(cell.column.columnDef.cell, cell.getContext()),
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

/** As a part of the row. `flexRender` would make it a component, mounted anew whenever a page makes its columns anew. */
function draw<Context extends object>(content: ColumnDefTemplate<Context> | undefined, context: Context): ReactNode {
  return typeof content === 'function' ? content(context) : content
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
