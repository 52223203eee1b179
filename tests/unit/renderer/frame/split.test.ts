// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import PaneSplitter from '#renderer/components/frame/PaneSplitter.vue'
import { fitted, limitsOf, smallest, stageLeast } from '#renderer/components/frame/split.ts'
import { tipPlace } from '#renderer/components/frame/tip-place.ts'

test('whatever was remembered, the stage keeps its room in every window that is not smaller than the smallest', () => {
  const size = fc.integer({ min: 0, max: 5000 })
  fc.assert(fc.property(fc.record({ left: size, right: size, bottom: size }), fc.integer({ min: 968, max: 4000 }), fc.integer({ min: 660, max: 2400 }), (layout, width, height) => {
    const { left, right, bottom } = fitted(layout, { width, height })
    expect(width - left - right).toBeGreaterThanOrEqual(stageLeast.width)
    expect(height - bottom).toBeGreaterThanOrEqual(stageLeast.height)
    expect(left).toBeGreaterThanOrEqual(smallest.left)
    expect(right).toBeGreaterThanOrEqual(smallest.right)
  }))
})

test('what fits stays as it was chosen', () => {
  const layout = { left: 284, right: 304, bottom: 130 }
  expect(fitted(layout, { width: 968, height: 660 })).toEqual(layout)
  expect(limitsOf('left', layout, { width: 968, height: 660 })).toEqual({ min: 220, max: 304 })
})

test('a splitter is moved by arrow keys, to its ends, and set back', async () => {
  const splitter = mount(PaneSplitter, { props: { pane: 'left', name: 'Width of the inputs', size: 284, min: 220, max: 300 } })
  expect(splitter.attributes()).toMatchObject({ role: 'separator', 'aria-orientation': 'vertical', 'aria-valuenow': '284', 'aria-valuemin': '220', 'aria-valuemax': '300', tabindex: '0' })
  for (const key of ['ArrowRight', 'ArrowLeft', 'Home', 'End', 'ArrowUp']) await splitter.trigger('keydown', { key })
  await splitter.trigger('keydown', { key: 'ArrowRight', shiftKey: true })
  expect(splitter.emitted('resize')).toEqual([[292], [276], [220], [300], [300]])
  await splitter.trigger('keydown', { key: 'Enter' })
  await splitter.trigger('dblclick')
  expect(splitter.emitted('reset')).toHaveLength(2)
})

test('panes on the right and below grow the other way', async () => {
  const right = mount(PaneSplitter, { props: { pane: 'right', name: 'r', size: 300, min: 220, max: 400 } })
  await right.trigger('keydown', { key: 'ArrowLeft' })
  expect(right.emitted('resize')).toEqual([[308]])
  const bottom = mount(PaneSplitter, { props: { pane: 'bottom', name: 'b', size: 130, min: 64, max: 400 } })
  await bottom.trigger('keydown', { key: 'ArrowUp' })
  await bottom.trigger('keydown', { key: 'ArrowRight' })
  expect(bottom.emitted('resize')).toEqual([[138]])
})

test('tips stay inside the window', () => {
  const page = { width: 1000, height: 700 }
  expect(tipPlace({ left: 400, right: 426, top: 10, bottom: 36 }, page)).toEqual({ left: 413, top: 42, align: 'middle' })
  expect(tipPlace({ left: 2, right: 28, top: 10, bottom: 36 }, page)).toMatchObject({ left: 4, align: 'start' })
  expect(tipPlace({ left: 970, right: 998, top: 670, bottom: 696 }, page)).toEqual({ left: 996, top: 642, align: 'end' })
})
