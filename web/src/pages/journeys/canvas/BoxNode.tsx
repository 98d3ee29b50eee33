// One box of the canvas: the entry, a step, a join, an end. A step is a button: it opens what stands behind it.
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react'
import { memo } from 'react'
import { useLanguage } from '../../../i18n.ts'
import { join } from '../../../ui/class.ts'
import { detailOf, entryWords, goalWords, nameOf, reentryWords } from '../model/describe.ts'
import type { Box, Coverage, Difference, EntryFacts, Flow } from '../model/graph.ts'
import { useJourneyTexts } from '../texts.ts'
import styles from './Canvas.module.css'
import { iconOf, toneOf } from './kinds.ts'

export interface BoxNodeData extends Record<string, unknown> {
  box: Box
  facts: EntryFacts
  flow: Flow | null
  selected: boolean
  /** Place on the path that is lit up from 1, the entry's is 0; -1 beside it; null when none is. */
  order: number | null
  coverage: Coverage | null
  mark: Difference | null
  finding: 'error' | 'warning' | null
  onSelect?: (id: string | null) => void
}

export const BoxNode = memo(function BoxNode({ data }: NodeProps<Node<BoxNodeData>>) {
  const { box } = data
  return (
    <>
      <Handle type="target" position={Position.Top} className={styles.handle} />
      {box.kind === 'stop' || box.kind === 'join' ? <Pill data={data} /> : <Card data={data} />}
      <Handle type="source" position={Position.Bottom} className={styles.handle} isConnectable={false} />
    </>
  )
})

function Pill({ data: { box, order } }: { data: BoxNodeData }) {
  const t = useJourneyTexts()
  const any = (box.step?.content as { join?: string } | null)?.join === 'any'
  const words = box.kind === 'stop' ? t('end') : any ? t('join_any') : t('join_all')
  return (
    <div className={join(styles.pill, box.kind === 'join' && styles.joinPill, order === -1 && styles.off)}>{words}</div>
  )
}

/** Scenarios that come by here. */
function Covered({ by: { passed, failed } }: { by: Coverage }) {
  const t = useJourneyTexts()
  const look = failed > 0 ? styles.coveredBad : passed > 0 ? styles.coveredGood : styles.coveredNot
  return (
    <span className={join(styles.covered, look)}>
      {failed > 0
        ? t('covered_failed', { count: failed })
        : passed > 0
          ? t('covered_passed', { count: passed })
          : t('covered_not')}
    </span>
  )
}

function Card({ data }: { data: BoxNodeData }) {
  const { box, facts, flow, selected, order, coverage, mark, finding, onSelect } = data
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const number = (value: number) => value.toLocaleString(language === 'en' ? 'en-GB' : language)
  const Icon = iconOf(box.kind, box.step?.content)
  const kind = t(`kind_${box.kind as Exclude<Box['kind'], 'stop' | 'join'>}`)
  const name = box.step ? nameOf(box.step) : facts.entries.map((entry) => entryWords(entry, t)).join(` ${t('or')} `)
  const detail = box.step
    ? detailOf(box.step, t)
    : [reentryWords(facts, t), goalWords(facts, t) && `${t('goal')}: ${goalWords(facts, t)}`]
        .filter(Boolean)
        .join(' · ')
  return (
    <button
      type="button"
      className={join(
        styles.box,
        'nopan',
        box.kind === 'entry' && styles.entry,
        selected && styles.selected,
        order !== null && (order >= 0 ? styles.on : styles.off),
        mark && styles[mark],
        finding && styles[finding],
      )}
      aria-pressed={selected}
      onClick={() => onSelect?.(selected ? null : box.id)}
    >
      <span className={styles.top}>
        <span className={join(styles.icon, styles[toneOf(box.kind)])} aria-hidden>
          <Icon />
        </span>
        <span className={styles.names}>
          <span className={styles.kind}>
            {kind}
            {mark && <b className={styles.mark}>{t(`mark_${mark}`)}</b>}
          </span>
          <span className={styles.name}>{name || t('unnamed')}</span>
        </span>
        {coverage && <Covered by={coverage} />}
        {order !== null && order > 0 && <span className={styles.order}>{order}</span>}
        {finding && <span className={styles.findingDot} aria-hidden />}
      </span>
      <span className={styles.foot}>
        <span className={styles.detail} title={detail}>
          {detail}
        </span>
        {flow && (
          <span className={styles.flow}>
            {flow.waiting > 0 && (
              <span className={styles.waiting} title={t('waiting')}>
                {number(flow.waiting)}
                <span className="visually-hidden">{t('waiting')}</span>
              </span>
            )}
            {flow.left > 0 && (
              <span className={styles.left} title={t('left_from_here')}>
                ↗ {number(flow.left)}
                <span className="visually-hidden">{t('left_from_here')}</span>
              </span>
            )}
            <span title={t('passed')}>
              ✓ {number(flow.passed)}
              <span className="visually-hidden">{t('passed')}</span>
            </span>
          </span>
        )}
      </span>
    </button>
  )
}
