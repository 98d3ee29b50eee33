// Everything that happened to one person, on one thread: filtered by kind and words, newest first, drawn only
// where it can be seen.
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { Bell, Link2, MessageSquareText, Route, ShieldCheck, UsersRound } from 'lucide-react'
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useDeferredValue,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import { segment } from '../../api/client.ts'
import { type List, useList } from '../../api/hooks.ts'
import type { TimelineItem, TimelineKind } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Filters } from '../../app/Page.tsx'
import { useTell } from '../../app/tell.ts'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { useEdges } from '../../ui/edges.ts'
import { SearchField } from '../../ui/Field.tsx'
import { isForPage } from '../../ui/keys.ts'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Time } from '../../ui/Time.tsx'
import { absolute } from '../../ui/time.ts'
import { Raw } from '../../ui/Value.tsx'
import { rowsOf } from './rows.ts'
import { useTexts } from './texts.ts'
import styles from './timeline.module.css'

export const KINDS: readonly { kind: TimelineKind; icon: ReactNode }[] = [
  { kind: 'event', icon: <Bell aria-hidden /> },
  { kind: 'message', icon: <MessageSquareText aria-hidden /> },
  { kind: 'journey', icon: <Route aria-hidden /> },
  { kind: 'audience', icon: <UsersRound aria-hidden /> },
  { kind: 'consent', icon: <ShieldCheck aria-hidden /> },
  { kind: 'identity', icon: <Link2 aria-hidden /> },
]
const PAGE = 100
const FROM_END = 40
const ROW_PX = 44

/** The timeline as the address filters it. Asked for twice, it is fetched once. */
export function useTimeline(person: string, enabled = true): List<TimelineItem> {
  const [kinds] = useSearchParam('kinds')
  const [q] = useSearchParam('q')
  return useList<TimelineItem>(
    `/profiles/${segment(person)}/timeline`,
    { kinds, q: useDeferredValue(q.trim()) },
    { limit: PAGE, enabled },
  )
}

export function Timeline({ person }: { person: string }) {
  const t = useTexts()
  const [kinds, setKinds] = useSearchParam('kinds')
  const [q, setQ] = useSearchParam('q')
  const list = useTimeline(person)
  const edges = useEdges<HTMLDivElement>()
  return (
    <div className="stack">
      <Filters>
        <SearchField label={t('timeline_search')} value={q} onChange={setQ} />
        <ToggleButtonGroup
          ref={edges}
          aria-label={t('kinds')}
          selectionMode="multiple"
          selectedKeys={kinds ? kinds.split(',') : []}
          onSelectionChange={(chosen) => setKinds([...chosen].join(','))}
          className={styles.kinds}
        >
          {KINDS.map(({ kind, icon }) => (
            <ToggleButton key={kind} id={kind} className={styles.kind}>
              {icon}
              {t(`kind_${kind}`)}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      </Filters>
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={9} />
      ) : list.items.length === 0 ? (
        <Card>
          {kinds || q ? (
            <Empty icon={<Bell />} title={t('timeline_empty')}>
              {t('timeline_empty_text')}
            </Empty>
          ) : (
            <Empty icon={<Bell />} title={t('timeline_none')} />
          )}
        </Card>
      ) : (
        <Thread items={list.items} more={list.more} onEnd={list.loadMore} />
      )}
    </div>
  )
}

interface ThreadProps {
  items: readonly TimelineItem[]
  more: boolean
  onEnd: () => void
}

function Thread({ items, more, onEnd }: ThreadProps) {
  const t = useTexts()
  const [language] = useLanguage()
  const rows = useMemo(() => rowsOf(items), [items])
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const list = useRef<HTMLOListElement>(null)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => {
    const measure = () => list.current && setOffset(list.current.getBoundingClientRect().top + window.scrollY)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 12,
    scrollMargin: offset,
  })
  const shown = virtual.getVirtualItems()
  const last = shown.at(-1)?.index ?? -1
  useEffect(() => {
    if (more && last >= rows.length - FROM_END) onEnd()
  }, [more, last, rows.length, onEnd])
  useStepping(list)
  const turn = (key: string) => {
    const next = new Set(open)
    if (!next.delete(key)) next.add(key)
    setOpen(next)
  }
  return (
    <>
      <ol ref={list} className={styles.thread} style={{ height: virtual.getTotalSize() }} aria-label={t('timeline')}>
        {shown.map((at) => {
          const row = rows[at.index]
          if (!row) return null
          return (
            <li
              key={at.key}
              ref={virtual.measureElement}
              data-index={at.index}
              className={styles.row}
              style={{ transform: `translateY(${at.start - offset}px)` }}
            >
              {'day' in row ? (
                <div className={styles.day}>{absolute(Date.parse(row.day), language, 'date')}</div>
              ) : (
                <Item item={row.item} open={open.has(row.key)} onTurn={() => turn(row.key)} />
              )}
            </li>
          )
        })}
      </ol>
      {!more && <p className={styles.end}>{t('timeline_end')}</p>}
    </>
  )
}

/** `j` and `k` step through what can be opened. */
function useStepping(list: RefObject<HTMLElement | null>) {
  const step = useCallback(
    (event: KeyboardEvent) => {
      if (!isForPage(event) || (event.key !== 'j' && event.key !== 'k')) return
      const buttons = [...(list.current?.querySelectorAll<HTMLElement>('button[aria-expanded]') ?? [])]
      const at = buttons.indexOf(document.activeElement as HTMLElement)
      const next = buttons[event.key === 'j' ? at + 1 : Math.max(0, at - 1)]
      if (!next) return
      event.preventDefault()
      next.focus()
    },
    [list],
  )
  useEffect(() => {
    document.addEventListener('keydown', step)
    return () => document.removeEventListener('keydown', step)
  }, [step])
}

function Item({ item, open, onTurn }: { item: TimelineItem; open: boolean; onTurn: () => void }) {
  const t = useTexts()
  const app = useAppTexts()
  const tell = useTell()
  const names = useNames()
  const kind = KINDS.find((each) => each.kind === item.kind)
  return (
    <div className={join(styles.item, item.kind !== 'event' && styles.ours)}>
      <span className={styles.dot} title={kind && t(`kind_${kind.kind}`)}>
        {kind?.icon}
      </span>
      <button type="button" className={styles.what} aria-expanded={open} onClick={onTurn}>
        {item.kind === 'event' ? (
          <>
            <b>{item.title}</b>
            {item.detail && <span className="soft">{item.detail}</span>}
          </>
        ) : (
          <b>{tell({ sentence: item.detail || item.title, data: item.data })}</b>
        )}
      </button>
      <span className={styles.side}>
        {item.ref && <Link href={`/explain/${encodeURIComponent(item.ref)}`}>{app('why')}</Link>}
        {item.source && <span title={t('source')}>{names.source(item.source)}</span>}
        <Time at={item.at} show="clock" />
      </span>
      {open && (
        <div className={styles.raw}>
          <Raw data={item.data} label={item.title} />
        </div>
      )}
    </div>
  )
}
