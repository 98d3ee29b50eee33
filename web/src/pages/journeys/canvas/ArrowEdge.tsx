// An arrow with its words: a line for each way that it stands for, how many took it, and their share.
import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps } from '@xyflow/react'
import { Plus } from 'lucide-react'
import { memo } from 'react'
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import { useLanguage } from '../../../i18n.ts'
import { join } from '../../../ui/class.ts'
import { wayWords } from '../model/describe.ts'
import { KINDS, type StepKind } from '../model/document.ts'
import type { Arrow, Numbers } from '../model/graph.ts'
import { type PlacedArrow, smooth } from '../model/layout.ts'
import { useJourneyTexts } from '../texts.ts'
import styles from './Canvas.module.css'
import { iconOf } from './kinds.ts'

type ArrowNumbers = NonNullable<ReturnType<Numbers['arrows']['get']>>

export interface ArrowEdgeData extends Record<string, unknown> {
  arrow: Arrow
  at: PlacedArrow
  numbers: ArrowNumbers | null
  lit: boolean | null
  onInsert?: (arrow: Arrow, kind: StepKind) => void
}

export const ArrowEdge = memo(function ArrowEdge(props: EdgeProps<Edge<ArrowEdgeData>>) {
  const { data, markerEnd, sourceX, sourceY, targetX, targetY } = props
  if (!data) return null
  const { arrow, numbers, lit, onInsert } = data
  const { label, points: given, side } = data.at
  const back = targetY < sourceY
  // Down the page an arrow begins and ends in the middle of its boxes; back up it keeps the side it was given.
  const inner = given.slice(1, -1)
  const points = back || side ? given : [{ x: sourceX, y: sourceY }, ...inner, { x: targetX, y: targetY }]
  const share = numbers?.share ?? 0
  const loop = arrow.ways.some((way) => way.kind === 'goto' && way.outcome === 'to')
  return (
    <>
      <BaseEdge
        path={smooth(points)}
        markerEnd={markerEnd}
        className={join(styles.arrow, lit && styles.arrowOn, lit === false && styles.arrowOff, loop && styles.loop)}
        style={{ strokeWidth: lit ? 2.5 : 1.25 + share * 2.25 }}
        interactionWidth={0}
      />
      <EdgeLabelRenderer>
        <div
          className={join(styles.label, 'nopan', lit === false && styles.off)}
          style={{
            transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)`,
            maxWidth: label.width,
          }}
        >
          <Lines arrow={arrow} numbers={numbers} />
          {onInsert && <Insert arrow={arrow} onInsert={onInsert} />}
        </div>
      </EdgeLabelRenderer>
    </>
  )
})

function Lines({ arrow, numbers }: { arrow: Arrow; numbers: ArrowNumbers | null }) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const locale = language === 'en' ? 'en-GB' : language
  const number = (value: number) => value.toLocaleString(locale)
  const percent = (value: number) => value.toLocaleString(locale, { style: 'percent' })
  const lines = arrow.ways
    .map((way) => ({
      words: wayWords(way, t),
      count: way.outcome === null ? undefined : numbers?.byOutcome.get(way.outcome),
    }))
    .filter((line) => line.words !== '')
  const total = numbers && (
    <span className={styles.count}>
      {number(numbers.count)}
      {numbers.share < 1 && numbers.count > 0 && <i>{percent(numbers.share)}</i>}
    </span>
  )
  if (lines.length === 0) return total ? <span className={styles.line}>{total}</span> : null
  if (lines.length === 1) {
    return (
      <span className={styles.line}>
        <span className={styles.words} title={lines[0]?.words}>
          {lines[0]?.words}
        </span>
        {total}
      </span>
    )
  }
  return (
    <span className={styles.lines}>
      {lines.map((line, index) => (
        <span key={index} className={styles.line}>
          <span className={styles.words} title={line.words}>
            {line.words}
          </span>
          {line.count !== undefined && <span className={styles.count}>{number(line.count)}</span>}
        </span>
      ))}
    </span>
  )
}

function Insert({ arrow, onInsert }: { arrow: Arrow; onInsert: (arrow: Arrow, kind: StepKind) => void }) {
  const t = useJourneyTexts()
  const place = arrow.ways.map((way) => wayWords(way, t)).filter(Boolean)
  const after = arrow.from.replace(/^@join:/, '')
  const where = after === '@entry' ? t('insert_first') : t('insert_after', { step: [after, ...place].join(', ') })
  return (
    <MenuTrigger>
      <AriaButton className={styles.insert} aria-label={where}>
        <Plus aria-hidden />
      </AriaButton>
      <Popover className={styles.popover} placement="right top">
        <Menu className={styles.menu} aria-label={where} onAction={(key) => onInsert(arrow, key as StepKind)}>
          {KINDS.map((kind) => {
            const Icon = iconOf(kind)
            return (
              <MenuItem key={kind} id={kind} className={styles.menuItem} textValue={t(`kind_${kind}`)}>
                <Icon aria-hidden />
                <b>{t(`kind_${kind}`)}</b>
                <span className="muted">{t(`kind_${kind}_what`)}</span>
              </MenuItem>
            )
          })}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
