// Where everything stands on the canvas: dagre's layered layout, from the top to the bottom. It depends on the
// drawing alone, never on the live numbers, so nothing moves while they do.
import { Graph, layout } from '@dagrejs/dagre'
import type { Arrow, Box, Drawing } from './graph.ts'

export interface Size {
  width: number
  height: number
}

export const SIZES: Record<'step' | 'entry' | 'stop' | 'join', Size> = {
  step: { width: 244, height: 84 },
  entry: { width: 244, height: 84 },
  stop: { width: 60, height: 26 },
  join: { width: 108, height: 30 },
}

type Point = { x: number; y: number }
export type Rect = Point & Size

export interface PlacedArrow {
  points: Point[]
  /** Where its words stand: their middle. */
  label: Rect
  /** It leads out at the side of its box, to an end. */
  side: boolean
}

export interface Placed {
  boxes: Map<string, Rect>
  arrows: Map<string, PlacedArrow>
}

export const sizeOf = (box: Box): Size =>
  box.kind === 'stop' || box.kind === 'join' || box.kind === 'entry' ? SIZES[box.kind] : SIZES.step

const LETTERS_MAX = 24
const STUB = 14

/** Room for an arrow's words and numbers: a line for each way, as wide as its words, a number and a share. */
export function labelSize(arrow: Arrow, words: (arrow: Arrow) => string[]): Size {
  const lines = words(arrow)
  const longest = lines.reduce((most, line) => Math.max(most, line.length), 0)
  return { width: Math.min(LETTERS_MAX, longest) * 6.6 + 116, height: Math.max(1, lines.length) * 16 + 8 }
}

/**
 * Ends beside a way on stand at the side of their box, so that the way of most people goes straight down;
 * where nothing else goes on, the end stands below. Room for them is kept on both sides: boxes stay in the middle.
 */
function sideStops(drawing: Drawing): Map<string, Arrow> {
  const out = new Map<string, number>()
  for (const arrow of drawing.arrows) out.set(arrow.from, (out.get(arrow.from) ?? 0) + 1)
  const aside = drawing.arrows.filter((arrow) => arrow.to.startsWith('@stop') && (out.get(arrow.from) ?? 0) > 1)
  return new Map(aside.map((arrow) => [arrow.from, arrow]))
}

export function place(drawing: Drawing, words: (arrow: Arrow) => string[]): Placed {
  const aside = sideStops(drawing)
  const ends = new Set([...aside.values()].map((arrow) => arrow.to))
  const roomFor = (arrow: Arrow) => labelSize(arrow, words).width + 2 * STUB + SIZES.stop.width
  const graph = new Graph({ multigraph: false })
  graph.setGraph({ rankdir: 'TB', nodesep: 36, edgesep: 20, ranksep: 30, marginx: 24, marginy: 24 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const box of drawing.boxes) {
    if (ends.has(box.id)) continue
    const { width, height } = sizeOf(box)
    const out = aside.get(box.id)
    graph.setNode(box.id, { width: width + (out ? 2 * roomFor(out) : 0), height })
  }
  for (const arrow of drawing.arrows) {
    if (ends.has(arrow.to)) continue
    const main = arrow.ways.length === 0 || arrow.ways.some((way) => way.index === 0)
    graph.setEdge(arrow.from, arrow.to, { ...labelSize(arrow, words), labelpos: 'c', weight: main ? 6 : 2, minlen: 1 })
  }
  layout(graph)
  const placed: Placed = { boxes: new Map(), arrows: new Map() }
  for (const box of drawing.boxes) {
    if (ends.has(box.id)) continue
    const at = graph.node(box.id) as Point
    const size = sizeOf(box)
    placed.boxes.set(box.id, { x: at.x - size.width / 2, y: at.y - size.height / 2, ...size })
  }
  for (const arrow of drawing.arrows) {
    if (ends.has(arrow.to)) placeAside(placed, arrow, labelSize(arrow, words))
    else {
      const edge = graph.edge(arrow.from, arrow.to) as Rect & { points: Point[] }
      const label = { x: edge.x, y: edge.y, width: edge.width, height: edge.height }
      placed.arrows.set(arrow.id, { points: edge.points, label, side: false })
    }
  }
  return placed
}

function placeAside(placed: Placed, arrow: Arrow, label: Size) {
  const box = placed.boxes.get(arrow.from)
  if (!box) return
  const y = box.y + box.height / 2
  const from = box.x + box.width
  const to = from + 2 * STUB + label.width
  placed.boxes.set(arrow.to, { x: to, y: y - SIZES.stop.height / 2, ...SIZES.stop })
  placed.arrows.set(arrow.id, {
    points: [
      { x: from, y },
      { x: to, y },
    ],
    label: { x: (from + to) / 2, y, ...label },
    side: true,
  })
}

/** A line through the points with round corners, as a path of SVG. */
export function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  const at = (point: Point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`
  let path = `M ${at(first)}`
  for (let index = 0; index < rest.length; index++) {
    const point = rest[index]
    const next = rest[index + 1]
    if (!point) continue
    if (!next) {
      path += ` L ${at(point)}`
      continue
    }
    // A curve that begins and ends in the middles, bent towards the point between them.
    const middle = { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    path += ` Q ${at(point)} ${at(index === rest.length - 2 ? next : middle)}`
    if (index === rest.length - 2) break
  }
  return path
}
