// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, test } from 'vitest'
import { findClasses, mostFound } from '#renderer/components/inputs/target-search.ts'
import TargetSection from '#renderer/components/inputs/TargetSection.vue'
import { useModels } from '#renderer/stores/models.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { beginStores, openBoth, show } from '../mount.ts'
import { openModel, reading } from '../samples.ts'

describe('the search among classes', () => {
  const labels = ['grey whale', 'Italian greyhound', 'greenhouse', 'whippet', 'great grey owl']

  test('prefers beginnings of labels, then of words, then any place', () => {
    expect(findClasses(5, labels, 'grey', []).found.map((f) => f.label)).toEqual(['grey whale', 'Italian greyhound', 'great grey owl'])
    expect(findClasses(5, labels, 'house', []).found.map((f) => f.label)).toEqual(['greenhouse'])
  })

  test('finds a class by its number', () => {
    expect(findClasses(5, labels, '3', []).found.map((f) => f.label)).toEqual(['whippet'])
    expect(findClasses(1000, null, '999', []).found[0]).toEqual({ index: 999, label: 'class 999', probability: null })
  })

  test('without a search the top classes come first, and the list stays short', () => {
    const { found, more } = findClasses(1000, null, '', reading.top)
    expect(found.slice(0, 3).map((f) => f.index)).toEqual([0, 2, 1])
    expect(found[1]!.probability).toBe(0.06)
    expect(found.length).toBe(mostFound)
    expect(more).toBe(950)
  })
})

describe('the target section', () => {
  beforeEach(async () => {
    await beginStores()
    await openBoth()
  })

  test('says which class the automatic choice will be, with its probability', () => {
    const section = show(TargetSection)
    const input = section.find('input[aria-label="Target class"]').element as HTMLInputElement
    expect(input.placeholder || input.value).toBe('ball (top class)')
    expect(section.find('.probability').text()).toBe('0.90')
  })

  test('the other classes the model sees are one click away', async () => {
    const order = useOrder()
    const section = show(TargetSection)
    const choices = section.findAll('.choice')
    expect(choices.map((choice) => choice.text())).toEqual(['tall cup .06', 'cup .04'])
    await choices[0]!.trigger('click')
    expect(order.target).toBe(2)
    expect(section.find('.probability').text()).toBe('0.06')
    expect(section.findAll('.choice').map((choice) => choice.text())).toEqual(['ball .9', 'cup .04'])
  })

  test('typing searches, Enter takes what is found', async () => {
    const section = show(TargetSection)
    const input = section.find('input[aria-label="Target class"]')
    await input.trigger('focus')
    await input.setValue('cup')
    await flushPromises()
    const options = [...document.querySelectorAll('.classes .option')].map((option) => option.querySelector('.label')?.textContent)
    expect(options).toEqual(['cup', 'tall cup'])
    await input.trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(useOrder().target).toBe(1)
  })

  test('another model resets the target', async () => {
    const order = useOrder()
    order.target = 2
    useModels().adopt(openModel({ model: 'model-2' }, { sha256: 'b'.repeat(64) }))
    await flushPromises()
    expect(order.target).toBe('auto')
  })
})
