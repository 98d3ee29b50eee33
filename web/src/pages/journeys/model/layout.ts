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
  stop: { width: 72, height: 28 },
  join: { width: 108, height: 30 },
}

export interface Placed {
  boxes: Map<string, { x: number; y: number } & Size>
  /** The points that an arrow passes, and where its label stands (its middle). */
  arrows: Map<string, { points: { x: number; y: number }[]; label: { x: number; y: number } & Size }>
}

export const sizeOf = (box: Box): Size =>
  box.kind === 'stop' || box.kind === 'join' || box.kind === 'entry' ? SIZES[box.kind] : SIZES.step

/** Room for an arrow's words and numbers: a line for each way, as wide as its words and a number of six digits. */
export function labelSize(arrow: Arrow, words: (arrow: Arrow) => string[]): Size {
  const lines = words(arrow)
  const longest = lines.reduce((most, line) => Math.max(most, line.length), 0)
  const height = Math.max(1, lines.length) * 16 + 8
  return { width: Math.min(214, longest * 6.4 + 78), height }
}

export function place(drawing: Drawing, words: (arrow: Arrow) => string[]): Placed {
  const graph = new Graph({ multigraph: false })
  graph.setGraph({ rankdir: 'TB', nodesep: 36, edgesep: 20, ranksep: 30, marginx: 24, marginy: 24 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const box of drawing.boxes) graph.setNode(box.id, { ...sizeOf(box) })
  for (const arrow of drawing.arrows) {
    const main = arrow.ways.length === 0 || arrow.ways.some((way) => way.index === 0)
    // What goes on straight keeps straight; ends and loops step aside.
    const weight = arrow.to.startsWith('@stop') ? 1 : main ? 6 : 2
    graph.setEdge(arrow.from, arrow.to, { ...labelSize(arrow, words), labelpos: 'c', weight, minlen: 1 })
  }
  layout(graph)
  const placed: Placed = { boxes: new Map(), arrows: new Map() }
  for (const box of drawing.boxes) {
    const at = graph.node(box.id) as { x: number; y: number }
    const size = sizeOf(box)
    placed.boxes.set(box.id, { x: at.x - size.width / 2, y: at.y - size.height / 2, ...size })
  }
  for (const arrow of drawing.arrows) {
    const edge = graph.edge(arrow.from, arrow.to) as Size & { points: { x: number; y: number }[]; x: number; y: number }
    placed.arrows.set(arrow.id, {
      points: edge.points,
      label: { x: edge.x, y: edge.y, width: edge.width, height: edge.height },
    })
  }
  return placed
}

/** A line through the points with round corners, as a path of SVG. */
export function smooth(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  const at = (point: { x: number; y: number }) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`
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
