// @vitest-environment happy-dom
import { X } from '@lucide/vue'
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import ErrorNote from '#renderer/components/ui/ErrorNote.vue'
import IconButton from '#renderer/components/ui/IconButton.vue'
import NumberField from '#renderer/components/ui/NumberField.vue'
import ProgressBar from '#renderer/components/ui/ProgressBar.vue'
import SliderField from '#renderer/components/ui/SliderField.vue'

test('a number is taken on change and enter, stepped by arrow keys, and bad text is told while it is typed', async () => {
  const field = mount(NumberField, { props: { modelValue: 5, min: 0, max: 20, step: 2, integer: true, name: 'Steps' } })
  const input = field.get('input')
  await input.setValue('x')
  expect(field.emitted('invalid')).toEqual([['Enter a whole number from 0 to 20.']])
  expect(input.attributes('aria-invalid')).toBe('true')
  await input.trigger('change')
  expect(field.emitted('update:modelValue')).toBeUndefined()
  expect(input.element.value).toBe('x')
  await input.trigger('keydown', { key: 'Escape' })
  expect(input.element.value).toBe('5')
  expect(field.emitted('invalid')!.at(-1)).toEqual([null])

  input.element.value = '8'
  await input.trigger('input')
  await input.trigger('keydown', { key: 'Enter' })
  await input.trigger('keydown', { key: 'ArrowUp', shiftKey: true })
  await input.trigger('keydown', { key: 'ArrowDown' })
  expect(field.emitted('update:modelValue')).toEqual([[8], [20], [18]])
})

test('a slider gives values, not positions', async () => {
  const slider = mount(SliderField, { props: { modelValue: 1, min: 0.01, max: 100, step: 0.01, logarithmic: true, name: 'Weight' } })
  const input = slider.get('input')
  expect(input.attributes('aria-valuetext')).toBe('1')
  input.element.value = '0.75'
  await input.trigger('input')
  expect(slider.emitted('update:modelValue')).toEqual([[10]])
})

test('a button with an icon has a name, a tip with its keys, and is pressed only where it switches', () => {
  const plugins = [createPinia()]
  const plain = mount(IconButton, { props: { icon: X, name: 'Open', keys: 'Mod+O' }, global: { plugins } }).get('button')
  expect(plain.attributes()).toMatchObject({ 'aria-label': 'Open', 'data-tip': expect.stringMatching(/^Open {2}(Ctrl\+|⌘)O$/) as string })
  expect(plain.attributes('aria-pressed')).toBeUndefined()
  const off = mount(IconButton, { props: { icon: X, name: 'Contours', pressed: false }, global: { plugins } }).get('button')
  expect(off.attributes('aria-pressed')).toBe('false')
})

test('progress says its share, or that nobody knows it', () => {
  expect(mount(ProgressBar, { props: { share: 0.426, name: 'Sending' } }).attributes('aria-valuenow')).toBe('43')
  expect(mount(ProgressBar, { props: { share: null, name: 'Sending' } }).attributes('aria-valuenow')).toBeUndefined()
})

test('an error is an alert that can be copied whole', async () => {
  let copied = ''
  Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (text: string) => void (copied = text) } })
  const note = mount(ErrorNote, { props: { message: 'a.png: not a picture.\nOpen another.' }, global: { plugins: [createPinia()] } })
  expect(note.attributes('role')).toBe('alert')
  await note.get('button').trigger('click')
  expect(copied).toBe('a.png: not a picture.\nOpen another.')
})
