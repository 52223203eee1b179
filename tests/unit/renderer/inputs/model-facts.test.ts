// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils'
import { beforeEach, expect, test, vi } from 'vitest'
import ModelSection from '#renderer/components/inputs/ModelSection.vue'
import { useClient } from '#renderer/rpc.ts'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useFiles } from '#renderer/stores/files.ts'
import { useImages } from '#renderer/stores/images.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { useSession } from '#renderer/stores/session.ts'
import type { Stated } from '#shared/contract/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, show } from '../mount.ts'
import { openImage, openModel, reading } from '../samples.ts'

let client: FakeClient
let section: VueWrapper

/** Per channel, as the main side completes it. */
function all(values: number[]): number[] {
  return values.length === 1 ? [values[0]!, values[0]!, values[0]!] : values
}

/** A model file that says nothing of its range. */
function answerFor(stated: Stated): ReturnType<typeof openModel> | object {
  if (stated.labels === 'wrong') throw new MaskscopeError('input', 'cats.txt holds 2 labels, and the model has 3 classes.', { subject: 'labels' })
  if (!stated.range) return { state: 'incomplete', file: 'file-1', name: 'my-model', stated, missing: ['range'], message: 'State the range.' }
  const model = openModel({ model: `model-${JSON.stringify(stated)}`, cardless: true, bundled: false, stated })
  return { ...model, info: { ...model.info, preprocessing: { ...model.info.preprocessing, range: stated.range, mean: all(stated.mean ?? [0]), std: all(stated.std ?? [1]), fit: stated.fit ?? 'squash' } } }
}

beforeEach(async () => {
  client = await beginStores({
    'models.open': ({ stated }) => answerFor(stated) as never,
    'models.saveCard': () => ({ file: '/models/my-model/model-card.json', card: '{}' }),
  })
  useImages().adopt([openImage()])
  await useModels().open({ file: 'file-1' })
  section = show(ModelSection)
})

function segment(text: string): ReturnType<VueWrapper['find']> {
  return section.findAll('.segment').find((button) => button.text() === text)!
}

test('what a model does not say is asked for in its place', () => {
  expect(section.text()).toContain('my-model')
  expect(section.text()).toContain('State the range.')
  expect(section.find('.check').exists()).toBe(false)
})

test('each stated fact opens the model anew and shows what it makes of the picture', async () => {
  await segment('0 to 255').trigger('click')
  await flushPromises()
  expect(client.inputsOf('models.open').at(-1)).toEqual({ from: { file: 'file-1' }, stated: { range: [0, 255], mean: [0], std: [1] } })
  expect(section.findAll('.top th').map((cell) => cell.text())).toEqual(['ball', 'tall cup', 'cup'])
  client.answers['images.classify'] = () => ({ ...reading, top: reading.top.slice(1) })
  await segment('Central crop').trigger('click')
  await flushPromises()
  expect(client.inputsOf('models.open').at(-1)?.stated).toEqual({ range: [0, 255], mean: [0], std: [1], fit: 'crop' })
  expect(section.findAll('.top th').map((cell) => cell.text())).toEqual(['tall cup', 'cup'])
})

test('an own range is typed, and one that runs backwards explains itself', async () => {
  await segment('Own').trigger('click')
  const [low, high] = section.findAll('.own input')
  await low!.setValue('-2')
  await low!.trigger('change')
  await high!.setValue('2')
  await high!.trigger('change')
  await flushPromises()
  expect(useModels().info?.preprocessing.range).toEqual([-2, 2])
  await low!.setValue('3')
  await low!.trigger('change')
  expect(section.find('.problem').text()).toBe('The first number must be less than the second.')
  expect(useModels().info?.preprocessing.range).toEqual([-2, 2])
})

test('what ImageNet networks want is one click; own numbers per channel begin with what holds', async () => {
  await segment('ImageNet').trigger('click')
  await flushPromises()
  const imagenet = { range: [0, 1], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
  expect(client.inputsOf('models.open').at(-1)?.stated).toEqual(imagenet)
  expect(segment('ImageNet').attributes('aria-checked') ?? segment('ImageNet').attributes('aria-pressed')).toBe('true')
  await segment('Own').trigger('click')
  expect(section.findAll('.own input').map((input) => (input.element as HTMLInputElement).value)).toEqual(['0', '1', '0.485', '0.456', '0.406', '0.229', '0.224', '0.225'])
  const green = section.find('input[aria-label="Standard deviation, green"]')
  await green.setValue('0')
  await green.trigger('change')
  expect(section.find('.problem').text()).toBe('Every standard deviation must be greater than 0.')
  await green.setValue('0.25')
  await green.trigger('change')
  await flushPromises()
  expect(client.inputsOf('models.open').at(-1)?.stated).toEqual({ ...imagenet, std: [0.229, 0.25, 0.225] })
  expect(segment('Own').attributes('data-state')).toBe('on')
})

test('a network of grey pictures is not offered colours', async () => {
  client.answers['models.open'] = ({ stated }) => {
    const model = openModel({ model: 'grey', cardless: true, bundled: false, stated }, { input: { height: 28, width: 28, channels: 1 } })
    return { ...model, info: { ...model.info, preprocessing: { ...model.info.preprocessing, mean: [0], std: [1] } } }
  }
  await segment('0 to 1').trigger('click')
  await flushPromises()
  expect(section.findAll('.presets .segment').map((button) => button.text())).toEqual(['0 to 1', '−1 to 1', '0 to 255', 'Own'])
  await segment('Own').trigger('click')
  expect(section.findAll('.own input').map((input) => input.attributes('aria-label'))).toEqual(['Value of black', 'Value of white', 'Mean, grey', 'Standard deviation, grey'])
})

test('labels that do not fit are refused at their field; what was stated stays', async () => {
  await segment('0 to 1').trigger('click')
  await flushPromises()
  const labels = section.findAll('button').find((button) => button.text() === 'File')!
  await labels.trigger('click')
  expect(useDialogs().open).toBe('chooser')
  useFiles().answer([{ handle: 'wrong', name: 'cats.txt', kind: 'labels', place: '/', bytes: 10 }])
  await flushPromises()
  expect(section.find('.stated .error-note').text()).toContain('cats.txt holds 2 labels')
  expect(section.findAll('.error-note').length).toBe(1)
  expect(useModels().info?.preprocessing.range).toEqual([0, 1])
})

test('the card is saved, and the form goes', async () => {
  await segment('0 to 1').trigger('click')
  await flushPromises()
  await section.findAll('button').find((button) => button.text() === 'Save model card')!.trigger('click')
  await flushPromises()
  expect(client.inputsOf('models.saveCard').length).toBe(1)
  expect(useNotices().notices.map((notice) => notice.message)).toEqual(['Model card saved: /models/my-model/model-card.json'])
  expect(section.find('.segment').exists()).toBe(false)
})

test('in a browser the card can be downloaded, since the model may be an upload', async () => {
  client.answers['models.saveCard'] = () => ({ file: '/tmp/upload/model-card.json', card: '{"fit":"crop"}' })
  useSession().hello = { version: '1', shell: 'web', platform: 'linux', nativeDialogs: false }
  const download = vi.fn()
  useClient(client, { connect: () => Promise.reject(new Error('connected already')), give: () => Promise.resolve([]), download })
  await segment('0 to 1').trigger('click')
  await flushPromises()
  await section.findAll('button').find((button) => button.text() === 'Save model card')!.trigger('click')
  await flushPromises()
  useNotices().notices[0]!.action!.run()
  expect(download).toHaveBeenCalledWith('model-card.json', new TextEncoder().encode('{"fit":"crop"}'), 'application/json')
})

test('a card that cannot be written says so beside the button', async () => {
  client.answers['models.saveCard'] = () => Promise.reject(new MaskscopeError('storage', 'The folder is read-only.'))
  await segment('0 to 1').trigger('click')
  await flushPromises()
  await section.findAll('button').find((button) => button.text() === 'Save model card')!.trigger('click')
  await flushPromises()
  expect(section.find('.check .error-note').text()).toContain('The folder is read-only.')
})

test('a model that cannot be opened says why, and the one before stays', async () => {
  useModels().adopt(openModel())
  client.answers['models.open'] = () => Promise.reject(new MaskscopeError('input', 'weights.bin is missing; copy it beside model.json.', { subject: 'model' }))
  await useModels().open({ file: 'file-2' })
  await flushPromises()
  expect(section.find('.error-note').text()).toContain('weights.bin is missing')
  expect(section.find('.name').text()).toBe('demo')
})
