// The canvas: a definition drawn, with what is live laid over it. It never moves while numbers do.
import '@xyflow/react/dist/base.css'
import {
  Background,
  BackgroundVariant,
  type Connection,
  type Edge,
  type EdgeTypes,
  MarkerType,
  MiniMap,
  type Node,
  type NodeTypes,
  Position,
  ReactFlow,
  type ReactFlowInstance,
  ReactFlowProvider,
} from '@xyflow/react'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import { useLanguage } from '../../../i18n.ts'
import { wayWords } from '../model/describe.ts'
import type { Definition, StepKind } from '../model/document.ts'
import { frame, isSeen } from '../model/frame.ts'
import { type Arrow, type Coverage, type Difference, draw, ENTRY, entryOf, type Numbers } from '../model/graph.ts'
import { type PlacedArrow, place, type Size } from '../model/layout.ts'
import { useJourneyTexts } from '../texts.ts'
import { ArrowEdge, type ArrowEdgeData } from './ArrowEdge.tsx'
import { BoxNode, type BoxNodeData } from './BoxNode.tsx'
import styles from './Canvas.module.css'
import { Controls } from './Controls.tsx'

export interface Lit {
  /** The steps in the order in which they were reached. */
  path: readonly string[]
  arrows: ReadonlySet<string>
}

export interface CanvasProps {
  label: string
  definition: Definition
  numbers?: Numbers
  selected?: string | null
  onSelect?: (id: string | null) => void
  lit?: Lit | null
  /** How many scenarios come by each step. */
  coverage?: ReadonlyMap<string, Coverage> | null
  /** What became of steps from one version to the other. */
  marks?: ReadonlyMap<string, Difference>
  /** The worst finding of each step. */
  findings?: ReadonlyMap<string, 'error' | 'warning'>
  /** A step of this kind on this arrow. Present while one edits. */
  onInsert?: (arrow: Arrow, kind: StepKind) => void
  onRewire?: (arrow: Arrow, to: string) => void
}

const NODE_TYPES: NodeTypes = { box: BoxNode }
const EDGE_TYPES: EdgeTypes = { arrow: ArrowEdge }
type FlowInstance = ReactFlowInstance<Node<BoxNodeData>, Edge<ArrowEdgeData>>

const NOWHERE: PlacedArrow = { points: [], label: { x: 0, y: 0, width: 0, height: 0 }, side: false }
const ZOOM_MIN = 0.15
const ZOOM_MAX = 1.6
const MAP_FROM = 16
const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches

const roomOf = (holder: HTMLDivElement | null): Size => ({
  width: holder?.clientWidth ?? 0,
  height: holder?.clientHeight ?? 0,
})

/** Where arrows begin and end: in the middle below and above. */
const handlesOf = ({ width, height }: Size) => [
  { type: 'target' as const, position: Position.Top, x: width / 2, y: 0, width: 1, height: 1 },
  { type: 'source' as const, position: Position.Bottom, x: width / 2, y: height, width: 1, height: 1 },
]

export function Canvas(props: CanvasProps) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  )
}

function Flow({
  label,
  definition,
  numbers,
  selected,
  onSelect,
  lit,
  coverage,
  marks,
  findings,
  onInsert,
  onRewire,
}: CanvasProps) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const holder = useRef<HTMLDivElement>(null)
  const flow = useRef<FlowInstance | null>(null)
  const drawing = useMemo(() => draw(definition), [definition])
  const facts = useMemo(() => entryOf(definition), [definition])
  // biome-ignore lint/correctness/useExhaustiveDependencies: `t` changes with the language
  const placed = useMemo(
    () => place(drawing, (arrow) => arrow.ways.map((way) => wayWords(way, t))),
    [drawing, language],
  )

  const nodes = useMemo(
    () =>
      drawing.boxes.map((box): Node<BoxNodeData> => {
        const at = placed.boxes.get(box.id) ?? { x: 0, y: 0, width: 0, height: 0 }
        return {
          id: box.id,
          type: 'box',
          position: { x: at.x, y: at.y },
          width: at.width,
          height: at.height,
          // Known, not measured: else every arrow would be taken out and drawn anew with each new number.
          measured: { width: at.width, height: at.height },
          handles: handlesOf(at),
          draggable: false,
          selectable: false,
          focusable: false,
          data: {
            box,
            facts,
            flow: numbers?.boxes.get(box.id) ?? null,
            selected: box.id === selected,
            order: lit ? (box.id === ENTRY ? 0 : lit.path.indexOf(box.id) + 1 || -1) : null,
            coverage: coverage?.get(box.id) ?? null,
            mark: marks?.get(box.id) ?? null,
            finding: findings?.get(box.id) ?? null,
            onSelect,
          },
        }
      }),
    [drawing, placed, facts, numbers, selected, lit, coverage, marks, findings, onSelect],
  )

  const edges = useMemo(
    () =>
      drawing.arrows.map((arrow): Edge<ArrowEdgeData> => {
        const at = placed.arrows.get(arrow.id)
        const on = lit ? lit.arrows.has(arrow.id) : null
        const color = on ? 'var(--thread)' : 'var(--line-strong)'
        return {
          id: arrow.id,
          source: arrow.from,
          target: arrow.to,
          type: 'arrow',
          selectable: false,
          focusable: false,
          reconnectable: onRewire && arrow.from !== ENTRY ? 'target' : false,
          // As large on a thin arrow as on a thick one.
          markerEnd: { type: MarkerType.ArrowClosed, markerUnits: 'userSpaceOnUse', color, width: 22, height: 22 },
          data: {
            arrow,
            at: at ?? NOWHERE,
            numbers: numbers?.arrows.get(arrow.id) ?? null,
            lit: on,
            onInsert,
          },
        }
      }),
    [drawing, placed, numbers, lit, onInsert, onRewire],
  )

  const reconnect = useCallback(
    (edge: Edge<ArrowEdgeData>, connection: Connection) => {
      const arrow = drawing.arrows.find((each) => each.id === edge.id)
      if (arrow && connection.target !== arrow.to) onRewire?.(arrow, connection.target)
    },
    [drawing, onRewire],
  )

  /** Moved by hand: it stays as it is until one asks for the whole picture. */
  const moved = useRef(false)
  const show = useCallback(
    (step: string | null, duration = 0) => {
      const room = roomOf(holder.current)
      if (room.width === 0) return
      void flow.current?.setViewport(frame(placed.boxes, room, ENTRY, step), { duration: calm() ? 0 : duration })
    },
    [placed],
  )
  const overview = useCallback(() => {
    moved.current = false
    show(null)
  }, [show])

  const started = useRef(false)
  const start = (instance: FlowInstance) => {
    flow.current = instance
    if (!started.current) show(selected ?? null)
    started.current = true
  }
  // Goes to the step that is chosen, wherever it was chosen.
  useEffect(() => {
    const at = selected ? placed.boxes.get(selected) : undefined
    if (!at || !selected || !flow.current) return
    if (!isSeen(at, roomOf(holder.current), flow.current.getViewport())) show(selected, 240)
  }, [selected, placed, show])
  // Fits again into the room that a panel leaves, and takes back what it frees.
  const fitAgain = useRef(() => {})
  fitAgain.current = () => {
    if (!moved.current || selected) show(selected ?? null)
  }
  useEffect(() => {
    if (!holder.current) return
    const observer = new ResizeObserver(() => fitAgain.current())
    observer.observe(holder.current)
    return () => observer.disconnect()
  }, [])

  return (
    <div ref={holder} className={styles.canvas} role="group" aria-label={label}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onInit={start}
        onPaneClick={() => onSelect?.(null)}
        onMoveStart={(event) => {
          if (event) moved.current = true
        }}
        onReconnect={onRewire ? reconnect : undefined}
        nodesDraggable={false}
        nodesConnectable={!!onRewire}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        connectOnClick={false}
        minZoom={ZOOM_MIN}
        maxZoom={ZOOM_MAX}
        panOnScroll
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1.4} color="var(--line)" />
        {drawing.boxes.length >= MAP_FROM && (
          <MiniMap
            className={styles.map}
            pannable
            zoomable
            ariaLabel={t('map')}
            bgColor="var(--surface)"
            maskColor="color-mix(in srgb, var(--sunken) 70%, transparent)"
            nodeColor={(node) => (node.id === selected ? 'var(--thread)' : 'var(--line-strong)')}
          />
        )}
        <Controls onWhole={overview} onZoom={() => (moved.current = true)} />
      </ReactFlow>
    </div>
  )
}
