// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest'
import { pointerHandlers, wheelFactor } from '#renderer/components/stage/gestures.ts'

function setUp() {
  const gestures = { zoom: vi.fn(), pan: vi.fn(), point: vi.fn() }
  const handlers = pointerHandlers(gestures)
  const cell = { getBoundingClientRect: () => ({ left: 100, top: 50 }), setPointerCapture: () => undefined }
  const event = (type: string, x: number, y: number, more: Record<string, unknown> = {}): PointerEvent => ({
    type, clientX: 100 + x, clientY: 50 + y, button: 0, pointerId: 1, pointerType: 'mouse', currentTarget: cell, preventDefault: () => undefined, ...more,
  }) as unknown as PointerEvent
  return { ...gestures, handlers, event }
}

test('a drag pans and a still press reads the pixel', () => {
  const { handlers, event, pan, point } = setUp()
  handlers.down(event('pointerdown', 10, 10))
  handlers.move(event('pointermove', 12, 10))
  expect(pan).not.toHaveBeenCalled()
  handlers.move(event('pointermove', 30, 25))
  expect(pan).toHaveBeenLastCalledWith(18, 15)
  point.mockClear()
  handlers.up(event('pointerup', 30, 25))
  expect(point).not.toHaveBeenCalled()
  const touch = { pointerType: 'touch' }
  handlers.down(event('pointerdown', 7, 8, touch))
  handlers.up(event('pointerup', 7, 8, touch))
  expect(point).toHaveBeenLastCalledWith({ x: 7, y: 8 })
})

test('two fingers magnify at their middle', () => {
  const { handlers, event, zoom } = setUp()
  handlers.down(event('pointerdown', 10, 10, { pointerId: 1 }))
  handlers.down(event('pointerdown', 30, 10, { pointerId: 2 }))
  handlers.move(event('pointermove', 50, 10, { pointerId: 2 }))
  expect(zoom).toHaveBeenCalledWith({ x: 30, y: 10 }, 2)
})

test('the pointer leaves with the mouse, but a touched pixel stays read', () => {
  const { handlers, event, point } = setUp()
  handlers.leave(event('pointerleave', 0, 0, { pointerType: 'touch' }))
  expect(point).not.toHaveBeenCalled()
  handlers.leave(event('pointerleave', 0, 0))
  expect(point).toHaveBeenCalledWith(null)
})

test('wheels magnify upwards, pinches more strongly, and no turn by more than a half', () => {
  const wheel = (deltaY: number, ctrlKey = false, deltaMode = 0): number => wheelFactor({ deltaY, ctrlKey, deltaMode })
  expect(wheel(-100)).toBeGreaterThan(1)
  expect(wheel(100)).toBeCloseTo(1 / wheel(-100))
  expect(wheel(-10, true)).toBeGreaterThan(wheel(-10))
  expect(wheel(-3, false, 1)).toBeCloseTo(wheel(-48))
  expect(wheel(-1e6)).toBeLessThan(1.6)
})
