// @vitest-environment happy-dom
import { DOMWrapper, flushPromises } from '@vue/test-utils'
import { beforeEach, expect, test } from 'vitest'
import SettingsDialog from '#renderer/components/dialogs/SettingsDialog.vue'
import { executorText, reportText } from '#renderer/components/frame/backend-text.ts'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useHistory } from '#renderer/stores/history.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useSession } from '#renderer/stores/session.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show } from '../mount.ts'
import { openModel } from '../samples.ts'

let client: FakeClient
const page = new DOMWrapper(document.body)
const press = (text: string): Promise<void> => page.findAll('[role="dialog"] button').find((button) => button.text() === text)!.trigger('click')

beforeEach(async () => {
  client = await beginStores({
    'models.choose': () => ({ id: useSession().settings.executor === 'tfjs' ? 'tfjs' as const : 'onnxruntime' as const, reason: 'It was asked for.', measured: {}, version: null }),
  })
  useModels().adopt(openModel())
  show(SettingsDialog)
  useDialogs().show('settings')
  await settled()
})

test('what runs classifiers holds at once, also for the model that is open, and is undone', async () => {
  await press('ONNX Runtime')
  await flushPromises()
  expect(client.inputsOf('settings.change').at(-1)?.executor).toBe('onnxruntime')
  expect(useModels().info?.executor.id).toBe('onnxruntime')
  expect(page.text()).toContain('demo: ONNX Runtime. It was asked for.')
  await press('TensorFlow.js')
  await flushPromises()
  expect(useModels().info?.executor.id).toBe('tfjs')
  await useHistory().undo()
  expect(useSession().settings.executor).toBe('onnxruntime')
  expect(useModels().info?.executor.id).toBe('onnxruntime')
})

test('what cannot run the model says why, and is not kept', async () => {
  client.answers['models.choose'] = () => {
    if (useSession().settings.executor === 'onnxruntime') throw new MaskscopeError('unavailable', 'ONNX Runtime cannot be loaded here.')
    return { id: 'tfjs', reason: 'ONNX Runtime cannot be loaded.', measured: {}, version: null }
  }
  await press('ONNX Runtime')
  await flushPromises()
  expect(page.find('.error-note').text()).toContain('ONNX Runtime cannot be loaded here.')
  expect(useSession().settings.executor).toBe('auto')
  expect(client.inputsOf('settings.change').at(-1)?.executor).toBe('auto')
  expect(useHistory().undoTitle).toBeNull()
})

test('memory is a share of the machine’s, or a number', async () => {
  expect(page.find('input[aria-label="Memory in MB"]').exists()).toBe(false)
  await press('At most')
  await settled()
  const field = page.find('input[aria-label="Memory in MB"]')
  await field.setValue('12000')
  await field.trigger('change')
  await settled()
  expect(useSession().settings.memoryMegabytes).toBe(12_000)
  await press('A quarter of the machine’s')
  expect(useSession().settings.memoryMegabytes).toBeNull()
})

test('what runs a model, and what the doctor found, in words', () => {
  expect(executorText({ id: 'onnxruntime' }, { id: 'wasm', threads: 2 })).toBe('ONNX Runtime, 2 threads')
  expect(executorText({ id: 'onnxruntime' }, null)).toBe('ONNX Runtime')
  expect(executorText({ id: 'tfjs' }, { id: 'wasm', threads: 2 })).toBe('TF.js, WebAssembly')
  expect(reportText({
    backends: [{ id: 'wasm', available: true, reason: 'The best here.', device: '2 cores', convolutionGflops: 18.24, chosen: true }],
    executors: [
      { id: 'onnxruntime', available: true, reason: 'For every model.', version: '1.30.0', convolutionGflops: { oneThread: 40, allThreads: 78.5 }, threads: 2, chosen: true },
      { id: 'tfjs', available: false, reason: 'None.', version: null, convolutionGflops: null, threads: 1, chosen: false },
    ],
    rule: 'The faster.',
  }, '0.1.0')).toBe([
    'Maskscope 0.1.0', 'wasm; available; chosen; 2 cores; 18.2 GFLOP/s; The best here.',
    'ONNX Runtime 1.30.0; available; chosen; GFLOP/s 40.0, with 2 threads 78.5; For every model.', 'TensorFlow.js; not available; None.', 'The faster.',
  ].join('\n'))
})
