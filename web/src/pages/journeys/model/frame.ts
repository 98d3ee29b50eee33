// What part of a drawing is shown in the room that there is, and how large.
import type { Rect, Size } from './layout.ts'

export interface Viewport {
  x: number
  y: number
  zoom: number
}

/** Text is read with ease from here on; across, a smaller picture is better than half a picture. */
const READABLE_ZOOM = 0.78
const ZOOM_MIN = 0.5
const MARGIN = 20
const TOP = 24

/**
 * All of it when that can be read, else its whole width, else what is around `step`. A step that is named is always
 * in it; where none is, it begins at the top.
 */
export function frame(boxes: ReadonlyMap<string, Rect>, room: Size, entry: string, step: string | null): Viewport {
  const all = [...boxes.values()]
  const left = Math.min(...all.map((box) => box.x)) - MARGIN
  const right = Math.max(...all.map((box) => box.x + box.width)) + MARGIN
  const top = Math.min(...all.map((box) => box.y)) - TOP
  const bottom = Math.max(...all.map((box) => box.y + box.height)) + MARGIN
  const across = Math.min(1, room.width / (right - left))
  const whole = Math.min(across, room.height / (bottom - top))
  const zoom = whole >= READABLE_ZOOM ? whole : across >= ZOOM_MIN ? across : READABLE_ZOOM
  const chosen = step === null ? undefined : boxes.get(step)
  const at = chosen ?? boxes.get(entry) ?? { x: left, y: top, width: right - left, height: 0 }
  /** Where a line of the drawing begins: in the middle when there is room for it, else so that `middle` is seen. */
  const begin = (from: number, to: number, size: number, middle: number) => {
    const needed = (to - from) * zoom
    if (needed <= size) return (size - needed) / 2 - from * zoom
    return Math.min(-from * zoom, Math.max(size - to * zoom, size / 2 - middle * zoom))
  }
  const y = chosen || whole >= READABLE_ZOOM ? begin(top, bottom, room.height, at.y + at.height / 2) : -top * zoom
  return { x: begin(left, right, room.width, at.x + at.width / 2), y, zoom }
}

/** Whether a box is wholly seen. */
export const isSeen = (box: Rect, room: Size, { x, y, zoom }: Viewport): boolean =>
  box.x * zoom + x >= 0 &&
  box.y * zoom + y >= 0 &&
  (box.x + box.width) * zoom + x <= room.width &&
  (box.y + box.height) * zoom + y <= room.height
