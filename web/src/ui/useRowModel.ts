// TanStack Table under our table: its column definitions, and the rows in the order that was chosen.
import {
  type ColumnDef,
  createSortedRowModel,
  functionalUpdate,
  type RowData,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { useMemo } from 'react'
import { useLanguage } from '../i18n.ts'
import { comparer, readSort, type SortValue, writeSort } from './sort.ts'
import type { Column } from './Table.tsx'

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() })

type Placed = NonNullable<SortValue>

interface Options<T> {
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
  sort: string
  /** Absent: the rows stand as they come. */
  onSort: ((sort: string) => void) | undefined
}

export function useRowModel<T extends RowData>({ columns, rows, rowKey, sort, onSort }: Options<T>) {
  const [language] = useLanguage()
  const definitions = useMemo(() => define(columns, language), [columns, language])
  // A row keeps the values that it was asked for, and these change with the columns, as when the language does.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const data = useMemo(() => [...rows], [rows, definitions])
  const sorting = useMemo(() => readSort(sort), [sort])
  return useTable({
    features,
    columns: definitions,
    data,
    getRowId: (row) => rowKey(row),
    enableSorting: onSort !== undefined,
    enableMultiSort: false,
    state: { sorting },
    onSortingChange: (update) => onSort?.(writeSort(functionalUpdate(update, sorting))),
  })
}

function define<T extends RowData>(columns: readonly Column<T>[], language: string) {
  const compare = comparer(language)
  return columns.map(
    ({ key, header, cell, sort }): ColumnDef<typeof features, T> => ({
      id: key,
      header: () => header,
      cell: ({ row }) => cell(row.original),
      accessorFn: (row) => sort?.(row) ?? undefined,
      enableSorting: sort !== undefined,
      sortFn: (one, other, id) => compare(one.getValue<Placed>(id), other.getValue<Placed>(id)),
      sortUndefined: 'last',
      sortDescFirst: false,
    }),
  )
}
