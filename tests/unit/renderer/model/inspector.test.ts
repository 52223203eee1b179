// @vitest-environment happy-dom
import { flushPromises, type DOMWrapper } from '@vue/test-utils'
import { DOMWrapper as Wrapper } from '@vue/test-utils'
import { beforeEach, expect, test } from 'vitest'
import ModelInspector from '#renderer/components/model/ModelInspector.vue'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useHistory } from '#renderer/stores/history.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { useSession } from '#renderer/stores/session.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show } from '../mount.ts'
import { openModel } from '../samples.ts'
import { layer, report } from './layers.ts'

let client: FakeClient
const page = new Wrapper(document.body)

const model = openModel({ notes: ['The model does not state, so assumed: mean 0.'] }, {
  format: 'ONNX model, opset 17', parameters: 25_557_032, multiplyAdds: 1_814_073_344, notes: ['41 batch normalisations are folded into the layers before them.'],
  executor: {
    id: 'onnxruntime', reason: 'ONNX Runtime needs 31 ms, TensorFlow.js on WebAssembly 240 ms.', version: '1.30.0',
    measured: { onnxruntime: { forward: 12.34, gradient: 31 }, tfjs: { forward: 90, gradient: 240 } },
  },
})

async function open(answer = (): unknown => ({ report })): Promise<void> {
  client = await beginStores({ 'models.inspect': answer as never })
  useModels().adopt(model)
  show(ModelInspector)
  useDialogs().show('inspector')
  await settled()
}

beforeEach(() => open())

const rows = (): string[] => page.findAll('tr[data-layer]').map((row) => row.attributes('data-layer')!)
const row = (name: string): DOMWrapper<Element> => page.find(`tr[data-layer="${name}"]`)
const selected = (): string[] => page.findAll('tr[aria-selected="true"]').map((one) => one.attributes('data-layer')!)
const press = (key: string): Promise<void> => page.find('tr[tabindex="0"]').trigger('keydown', { key })
const details = (): string => page.find('.details').text()

test('shows what is known of the model, what runs it and why, and what import did', () => {
  const about = page.find('aside').text()
  for (const said of [
    'ONNX model, opset 17', '25,557,032', '1,814,073,344', 'ONNX Runtime 1.30.0', 'ONNX Runtime needs 31 ms', '12.3 ms forward, 31.0 ms with gradient',
    '90.0 ms forward', '41 batch normalisations are folded', 'assumed: mean 0',
  ]) expect(about).toContain(said)
})

test('lists the layers with their graph, and asks for them once', async () => {
  expect(rows()).toEqual(['input', 'stem', 'a', 'b', 'add', 'mean', 'logits'])
  expect(row('stem').text()).toMatch(/stem.*conv 3×3, ReLU.*8 × 8 × 4.*448.*9 k.*3 px/)
  expect(row('mean').text()).toContain('all')
  expect(page.findAll('tr[data-layer] svg').length).toBe(7)
  useDialogs().close()
  await settled()
  useDialogs().show('inspector')
  await settled()
  expect(client.inputsOf('models.inspect')).toEqual([{ model: 'model-1' }])
})

test('keys go through the rows, and what is selected tells its neighbours', async () => {
  expect(selected()).toEqual(['input'])
  await press('ArrowDown')
  await settled()
  expect(selected()).toEqual(['stem'])
  expect(document.activeElement?.getAttribute('data-layer')).toBe('stem')
  expect(details()).toContain('stem, stem/bn')
  expect(page.findAll('.details .link').map((link) => link.text())).toEqual(['input', 'a', 'add'])
  await press('End')
  await settled()
  expect(selected()).toEqual(['logits'])
  expect(details()).toContain('nothing: it is the last')
  expect(details()).toContain('CAM methods take layers with rows, columns and channels.')
  await press('Home')
  await settled()
  expect(selected()).toEqual(['input'])
  await page.findAll('.details .link').find((link) => link.text() === 'stem')!.trigger('click')
  await settled()
  expect(selected()).toEqual(['stem'])
})

test('the list is filtered and sorted; the lines of the graph stand only where the whole graph does', async () => {
  await page.find('input[aria-label="Filter layers"]').setValue('dense')
  await settled()
  expect(rows()).toEqual(['logits'])
  expect(page.find('.count').text()).toBe('1 of 7 layers')
  expect(page.findAll('tr[data-layer] svg').length).toBe(0)
  await page.find('input[aria-label="Filter layers"]').setValue('attention')
  await settled()
  expect(page.text()).toContain('No layer has “attention”')
  // A layer that is not listed is gone to all the same.
  await page.findAll('.tools button').find((button) => button.text() === 'b')!.trigger('click')
  await settled()
  expect(selected()).toEqual(['b'])
  expect(rows().length).toBe(7)
  await page.find('[role="switch"]').trigger('click')
  await settled()
  expect(rows()).toEqual(['stem', 'a', 'b'])
  await page.findAll('th button').find((button) => button.text() === 'Parameters')!.trigger('click')
  await settled()
  expect(rows()[0]).toBe('stem')
  expect(page.find('th[aria-sort]').text()).toBe('Parameters')
})

test('a layer is chosen for CAM methods, by Enter or button, kept for the model, and taken back', async () => {
  expect(row('b').find('button').attributes('aria-pressed')).toBe('true')
  expect(row('b').text()).toContain('default')
  expect(row('mean').find('button').exists()).toBe(false)
  await row('a').trigger('click')
  await press('Enter')
  await settled()
  expect(useOrder().camLayer).toBe('a')
  expect(useSession().settings.camLayers).toEqual({ [model.info.sha256]: 'a' })
  expect(row('a').find('button').attributes('aria-pressed')).toBe('true')
  expect(row('b').find('button').attributes('aria-pressed')).toBe('false')
  expect(details()).toContain('CAM methods take this layer.')
  await useHistory().undo()
  expect(useOrder().camLayer).toBeNull()
  await useHistory().redo()
  expect(useOrder().camLayer).toBe('a')
  // The usual one is no choice of one's own.
  await row('b').trigger('click')
  await page.findAll('.details button').find((button) => button.text() === 'Use for CAM methods')!.trigger('click')
  await settled()
  expect(useOrder().camLayer).toBeNull()
  // Enter on a layer that cannot be taken changes nothing.
  await row('add').trigger('click')
  await press('Enter')
  expect(useSession().settings.camLayers).toEqual({})
  expect(details()).toContain('CAM methods take convolutions and what is made of them.')
})

test('a long network draws the rows in view', async () => {
  const layers = Array.from({ length: 450 }, (_, i) => layer({ name: `n${i}`, inputs: i === 0 ? [] : [`n${i - 1}`], cam: true }))
  await open(() => ({ report: { layers, camLayer: 'n449', notes: [] } }))
  expect(rows().length).toBeLessThan(60)
  expect(page.find('.count').text()).toBe('450 layers')
  await press('End')
  await settled()
  expect(selected()).toEqual(['n449'])
  expect(rows().length).toBeLessThan(60)
})

test('says that layers are being read, that there are none, or what went wrong; nothing stands without a model', async () => {
  await open(() => new Promise(() => undefined))
  expect(page.find('.state [role="progressbar"]').exists()).toBe(true)

  await open(() => ({ report: null }))
  expect(page.find('.state').text()).toContain('it runs as its file is')
  expect(page.find('.state').text()).toContain('41 batch normalisations')

  let gone = true
  await open(() => {
    if (gone) throw new MaskscopeError('usage', 'This model is not open any more; open it again.', { subject: 'model' })
    return { report }
  })
  expect(page.find('.state .error-note').text()).toContain('This model is not open any more')
  gone = false
  await page.findAll('.state button').find((button) => button.text() === 'Try again')!.trigger('click')
  await settled()
  expect(rows().length).toBe(7)

  useModels().current = null
  await flushPromises()
  expect(page.find('[role="dialog"]').exists()).toBe(false)
})
