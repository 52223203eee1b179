import type { Point } from './viewport.ts'

/** What a hand can do to the pictures; points are CSS pixels in the picture's cell. */
export interface Gestures {
  zoom(at: Point, factor: number): void
  pan(dx: number, dy: number): void
  /** Where the pointer is; null: gone. */
  point(at: Point | null): void
}

/** So far a press may move and still be a click, CSS pixels. */
const clickSlack = 4

/** One notch of a wheel magnifies by about a fifth; a pinch on a touchpad comes as a wheel with Ctrl held. */
export function wheelFactor(event: Pick<WheelEvent, 'deltaY' | 'deltaMode' | 'ctrlKey'>): number {
  const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY
  return Math.exp(-Math.max(-240, Math.min(240, pixels)) * (event.ctrlKey ? 0.01 : 0.0017))
}

/** Listeners for one cell. Drags pan, two fingers pinch, a touch reads the pixel below it and lets it stand. */
export function pointerHandlers(gestures: Gestures): {
  down(event: PointerEvent): void; move(event: PointerEvent): void; up(event: PointerEvent): void; leave(event: PointerEvent): void; wheel(event: WheelEvent): void
} {
  const pressed = new Map<number, Point>()
  let travelled = 0
  const at = (event: MouseEvent): Point => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const spread = (): { middle: Point; distance: number } => {
    const [a, b] = [...pressed.values()] as [Point, Point]
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, distance: Math.hypot(a.x - b.x, a.y - b.y) || 1 }
  }
  return {
    down(event) {
      if (event.button !== 0) return
      ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
      pressed.set(event.pointerId, at(event))
      if (pressed.size === 1) travelled = 0
    },
    move(event) {
      const now = at(event)
      const before = pressed.get(event.pointerId)
      if (event.pointerType !== 'touch') gestures.point(now)
      if (!before) return
      if (pressed.size === 2) {
        const old = spread()
        pressed.set(event.pointerId, now)
        const next = spread()
        gestures.pan(next.middle.x - old.middle.x, next.middle.y - old.middle.y)
        gestures.zoom(next.middle, next.distance / old.distance)
        travelled = Infinity
        return
      }
      pressed.set(event.pointerId, now)
      travelled += Math.hypot(now.x - before.x, now.y - before.y)
      if (travelled > clickSlack) gestures.pan(now.x - before.x, now.y - before.y)
    },
    up(event) {
      if (pressed.delete(event.pointerId) && travelled <= clickSlack && event.type === 'pointerup') gestures.point(at(event))
    },
    leave(event) {
      if (event.pointerType !== 'touch' && !pressed.has(event.pointerId)) gestures.point(null)
    },
    wheel(event) {
      event.preventDefault()
      gestures.zoom(at(event), wheelFactor(event))
    },
  }
}
