// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { beforeEach, expect, test } from 'vitest'
import ImageSection from '#renderer/components/inputs/ImageSection.vue'
import LeftPanel from '#renderer/components/inputs/LeftPanel.vue'
import SceneGrid from '#renderer/components/inputs/SceneGrid.vue'
import { useHistory } from '#renderer/stores/history.ts'
import { useImages } from '#renderer/stores/images.ts'
import { useModels } from '#renderer/stores/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, openBoth, show } from '../mount.ts'
import { openImage, openModel, png } from '../samples.ts'

let client: FakeClient
beforeEach(async () => void (client = await beginStores()))

test('the image says its size and how it is fitted', async () => {
  await openBoth()
  const section = show(ImageSection)
  expect(section.find('.name').text()).toBe('pets.jpg')
  expect(section.text()).toContain('512 × 430, squashed whole')
  const model = openModel({ model: 'model-2' })
  useModels().adopt({ ...model, info: { ...model.info, preprocessing: { ...model.info.preprocessing, fit: 'crop', cropFraction: 0.875 } } })
  await flushPromises()
  expect(section.text()).toContain('central crop 87.5%')
})

test('images at hand are chosen by keys, taken away by Delete, and come back', async () => {
  const images = useImages()
  images.adopt([openImage({ image: 'a', name: 'a.png' }), openImage({ image: 'b', name: 'b.png' }), openImage({ image: 'c', name: 'c.png' })])
  const section = show(ImageSection)
  const strip = section.find('[role="listbox"]')
  await strip.trigger('keydown', { key: 'ArrowRight' })
  expect(images.chosen).toBe('b')
  await strip.trigger('keydown', { key: 'End' })
  expect(images.chosen).toBe('c')
  await strip.trigger('keydown', { key: 'Delete' })
  expect(images.list.map((image) => image.image)).toEqual(['a', 'b'])
  expect(images.chosen).toBe('b')
  await useHistory().undo()
  expect(images.list.map((image) => image.image)).toEqual(['a', 'b', 'c'])
  expect(images.chosen).toBe('c')
  await useHistory().redo()
  expect(images.list.map((image) => image.image)).toEqual(['a', 'b'])
})

test('a damaged image says so in its place; the image before stays', async () => {
  await openBoth()
  client.answers['images.open'] = () => Promise.reject(new MaskscopeError('input', 'cat.jpg ends in the middle; copy it again.', { subject: 'image' }))
  const section = show(ImageSection)
  await useImages().open({ file: 'file-9' })
  await flushPromises()
  expect(section.find('.error-note').text()).toContain('cat.jpg ends in the middle')
  expect(section.find('.name').text()).toBe('pets.jpg')
})

test('one click opens the demo and its scene', async () => {
  client.answers['models.open'] = () => openModel()
  client.answers['images.open'] = () => [openImage({ name: 'scene:2000007', kind: 'scene', label: 'ball', truth: true })]
  await useModels().begin()
  const panel = show(LeftPanel)
  // With nothing open at all the stage offers it, once.
  expect(panel.text()).not.toContain('Try the demo')
  useImages().adopt([openImage({ name: 'cat.png' })])
  await flushPromises()
  const button = panel.findAll('button').find((entry) => entry.text() === 'Try the demo')!
  await button.trigger('click')
  await flushPromises()
  expect(client.inputsOf('models.open')).toEqual([{ from: { bundled: 'demo' }, stated: {} }])
  expect(client.inputsOf('images.open')).toEqual([{ from: { scene: 'scene:2000007' } }])
  expect(panel.text()).not.toContain('Try the demo')
  expect(panel.find('.run-bar .primary').attributes('disabled')).toBeUndefined()
  panel.unmount()
})

test('scenes are walked by keys and marked by Space', async () => {
  const scenes = [1, 2, 3].map((seed) => ({ reference: `scene:${seed}`, label: 'ball', note: String(seed), thumbnail: png }))
  const grid = show(SceneGrid, { scenes, name: 'Scenes', busy: false, chosen: [] })
  await grid.trigger('keydown', { key: 'End' })
  await grid.trigger('keydown', { key: ' ' })
  expect(grid.emitted('update:chosen')).toEqual([[['scene:3']]])
  await grid.setProps({ chosen: [] })
  await grid.trigger('keydown', { key: 'Home' })
  await grid.trigger('keydown', { key: 'Enter' })
  expect(grid.emitted('take')).toEqual([[['scene:1']]])
  await grid.trigger('keydown', { key: 'PageDown' })
  expect(grid.emitted('turnPage')).toEqual([[1]])
})
