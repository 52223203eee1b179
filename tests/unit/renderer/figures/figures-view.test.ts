// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { parseFigureSpec, type FigureSpec } from '#shared/figure/spec.ts'
import { useFigures } from '#renderer/stores/figures.ts'
import { useHistory } from '#renderer/stores/history.ts'
import FiguresView from '#renderer/views/FiguresView.vue'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, show, showRuns } from '../mount.ts'
import { runRow } from '../samples.ts'

/** What the study keeps. */
let kept: Map<string, FigureSpec>
let client: FakeClient
let view: VueWrapper
const runs = [runRow(), runRow({ run: '0002-ball-rise', method: 'rise' }), runRow({ run: '0003-cup-rise', method: 'rise', image: { name: 'cup.png', kind: 'file' } }), runRow({ run: '0004-cup-lime', method: 'lime', state: 'failed' })]

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  kept = new Map()
  Object.assign(URL, { createObjectURL: () => 'blob:figure', revokeObjectURL: () => undefined })
  client = await beginStores({
    'figures.list': () => [...kept.keys()].sort(),
    'figures.read': ({ name }) => ({ spec: kept.get(name)! }),
    'figures.create': ({ wish, spec }) => {
      kept.set(wish, spec)
      return { name: wish }
    },
    'figures.write': ({ name, spec }) => {
      kept.set(name, spec)
      return {}
    },
    'figures.remove': ({ name }) => {
      kept.delete(name)
      return {}
    },
    'figures.draw': ({ spec }) => {
      if (spec.panels.some((panel) => panel.kind === 'curves')) throw new MaskscopeError('usage', 'Deletion was not measured for run 0001.', { subject: '0001' })
      return { svg: '<svg/>', widthMm: 88.9, heightMm: 40, caption: 'What it shows.' }
    },
  })
})
afterEach(() => {
  view.unmount()
  vi.useRealTimers()
})

async function begin(rows = runs): Promise<void> {
  view = show(FiguresView)
  await showRuns(rows)
  await rest()
}

/** Everything that waits for calm is over. */
async function rest(): Promise<void> {
  await flushPromises()
  await vi.advanceTimersByTimeAsync(600)
  await flushPromises()
}

const template = (title: string) => view.findAll('.templates button').find((button) => button.text().includes(title))!

test('without runs it says what is missing; with runs a template makes a figure of them that the study keeps', async () => {
  await begin([])
  expect(view.text()).toContain('A figure is made of finished runs.')
  await showRuns(runs)
  await rest()
  await template('Images × methods').trigger('click')
  await rest()
  const panel = kept.get('grid')!.panels[0]!
  expect(panel).toMatchObject({ kind: 'grid', rows: [{ cells: ['0001-ball-neuromask', '0002-ball-rise'] }, { cells: [null, '0003-cup-rise'] }] })
  expect(view.find('.desk img').attributes('alt')).toBe('What it shows.')
  expect(view.text()).toContain('88.9 × 40.0 mm')
})

test('changes are written after a moment, undone and redone; those of one field together', async () => {
  await begin()
  await template('One image').trigger('click')
  await rest()
  const figures = useFigures()
  figures.change({ ...figures.spec!, gutter: 2 }, 'Change the gutter')
  figures.change({ ...figures.spec!, gutter: 3 }, 'Change the gutter')
  figures.changePanel({ show: 'contour' }, 'Change how maps are shown')
  expect(kept.get('methods')!.gutter).toBe(1)
  await rest()
  expect(kept.get('methods')).toMatchObject({ gutter: 3, panels: [{ show: 'contour' }] })
  await useHistory().undo()
  await useHistory().undo()
  await rest()
  expect(kept.get('methods')).toMatchObject({ gutter: 1, panels: [{ show: 'overlay' }] })
  await useHistory().redo()
  await rest()
  expect(kept.get('methods')!.gutter).toBe(3)
  await useHistory().undo()
  await useHistory().undo()
  expect([...kept.keys()]).toEqual([])
  await useHistory().redo()
  expect([...kept.keys()]).toEqual(['methods'])
})

test('a run is added by a press or by a drop, in its place', async () => {
  await begin()
  await template('Metrics table').trigger('click')
  await rest()
  useFigures().changePanel({ runs: ['0002-ball-rise', '0003-cup-rise'] }, 'Change the runs')
  await flushPromises()
  const first = view.find('.run-picker li')
  const dropped = Object.assign(new Event('drop', { bubbles: true, cancelable: true }), { dataTransfer: { getData: () => '0001-ball-neuromask' } })
  first.element.dispatchEvent(dropped)
  await rest()
  expect(kept.get('table')!.panels[0]).toMatchObject({ runs: ['0001-ball-neuromask', '0002-ball-rise', '0003-cup-rise'] })
  await view.find('.run-picker li button[aria-label^="Take 1"]').trigger('click')
  await view.find('.runs button[data-run^="0001"]').trigger('click')
  await rest()
  expect(kept.get('table')!.panels[0]).toMatchObject({ runs: ['0002-ball-rise', '0003-cup-rise', '0001-ball-neuromask'] })
})

test('what cannot be drawn says why, and is not exported', async () => {
  kept.set('curves', parseFigureSpec({ format: 'maskscope-figure', version: 1, panels: [{ kind: 'curves', runs: ['0001-ball-neuromask'] }] }))
  await begin()
  expect(view.text()).toContain('Deletion was not measured for run 0001.')
  expect(view.find('.top button').attributes('disabled')).toBeDefined()
  expect(client.inputsOf('figures.draw')).toHaveLength(1)
})
