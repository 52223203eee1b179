// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils'
import { beforeEach, expect, test } from 'vitest'
import MethodSection from '#renderer/components/inputs/MethodSection.vue'
import { useHistory } from '#renderer/stores/history.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { beginStores, openBoth, show } from '../mount.ts'
import { openModel } from '../samples.ts'

let form: VueWrapper

beforeEach(async () => {
  await beginStores()
  await openBoth()
  form = show(MethodSection)
})

function field(name: string): ReturnType<VueWrapper['find']> {
  return form.find(`input[role="spinbutton"][aria-label="${name}"]`)
}

const folds = (): ReturnType<VueWrapper['findAll']> => form.findAll('button[aria-expanded]:not([role], [aria-haspopup])')

async function type(name: string, text: string): Promise<void> {
  const input = field(name)
  ;(input.element as HTMLInputElement).value = text
  await input.trigger('input')
  await input.trigger('change')
}

test('common parameters stand first, the others by group, folded', () => {
  const labels = form.findAll('.field .words').map((label) => label.text())
  expect(labels.slice(0, 2)).toEqual(['Iterations', 'Sparsity weight'])
  expect(folds().map((head) => [head.text(), head.attributes('aria-expanded')])).toEqual([
    ['Loss', 'false'], ['Fill', 'false'], ['Randomisation', 'false'],
  ])
  expect(form.text()).toContain('λs')
})

test('every type of parameter has its control, under its own name', () => {
  expect(form.find('input[type="range"][aria-label="Iterations, slider"]').exists()).toBe(true)
  expect(field('Iterations').exists()).toBe(true)
  // Two short options side by side, four long ones in a list.
  expect(form.find('[role="group"][aria-label="Smoothness kernel K"] button[aria-label], [aria-label="Smoothness kernel K"] .segment').exists()).toBe(true)
  expect(form.find('[role="combobox"][aria-label="Fill"]').exists()).toBe(true)
  expect(form.find('[role="switch"][aria-label="Flip"]').exists()).toBe(true)
})

test('a changed value is marked, goes into the order, and its dot takes it back', async () => {
  const order = useOrder()
  expect(form.find('.dot').exists()).toBe(false)
  await type('Iterations', '300')
  expect(order.values['iterations']).toBe(300)
  expect(order.asOrder?.parameters).toEqual({ preset: 'maskscope', iterations: 300 })
  expect(form.find('.label.changed').text()).toContain('Iterations')
  await form.find('button[aria-label="Reset Iterations"]').trigger('click')
  expect(order.own).toEqual({})
  expect(form.find('.dot').exists()).toBe(false)
  await useHistory().undo()
  expect(order.values['iterations']).toBe(300)
})

test('a value typed back to the preset counts as unchanged', async () => {
  await type('Iterations', '300')
  await type('Iterations', '120')
  expect(useOrder().own).toEqual({})
})

test('a bad value explains itself while typed, and the run waits for it', async () => {
  const order = useOrder()
  expect(order.hindrance).toBeNull()
  const input = field('Sparsity weight λs')
  ;(input.element as HTMLInputElement).value = '5000'
  await input.trigger('input')
  expect(form.find('.problem').text()).toBe('Enter a number from 0 to 1000.')
  expect(order.values['sparsity-weight']).toBe(70)
  expect(order.hindrance).not.toBeNull()
  ;(input.element as HTMLInputElement).value = '50'
  await input.trigger('input')
  expect(form.find('.problem').exists()).toBe(false)
  expect(order.hindrance).toBeNull()
})

test('a folded group says that something in it has changed', async () => {
  useOrder().set('flip', true)
  await flushPromises()
  expect(folds()[2]!.text()).toBe('Randomisation · 1 changed')
})

test('a preset sets all that is not set by hand', async () => {
  const order = useOrder()
  order.set('sparsity-weight', 12)
  order.choosePreset('imagenet-demo')
  await flushPromises()
  expect((field('Iterations').element as HTMLInputElement).value).toBe('2000')
  expect((field('Sparsity weight λs').element as HTMLInputElement).value).toBe('12')
  expect(form.find('.source').text()).toBe('The authors’ demonstration.')
})

test('the seed can be typed and drawn', async () => {
  const order = useOrder()
  await type('Seed', '7')
  expect(order.seed).toBe(7)
  await form.find('button[aria-label="Draw another seed"]').trigger('click')
  expect(Number.isInteger(order.seed) && order.seed >= 1 && order.seed < 100_000).toBe(true)
})

test('a model without gradients says why this method cannot run', async () => {
  useModels().adopt(openModel({ model: 'model-2' }, { access: 'query', sha256: 'b'.repeat(64) }))
  await flushPromises()
  expect(useOrder().hindrance).toBe('NeuroMask needs gradients, which the model demo does not give.')
})
