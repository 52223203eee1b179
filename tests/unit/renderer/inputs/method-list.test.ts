import { expect, test } from 'vitest'
import { methodOptions } from '#renderer/components/inputs/method-list.ts'
import type { MethodInfo } from '#shared/contract/models.ts'
import { method } from '../samples.ts'

const list: MethodInfo[] = [
  { ...method, id: 'neuromask', title: 'NeuroMask' },
  { ...method, id: 'grad-cam', title: 'Grad-CAM', family: 'activation', needs: ['layers'] },
  { ...method, id: 'rise', title: 'RISE', family: 'perturbation', access: 'query' },
  { ...method, id: 'oracle', title: 'Oracle', family: 'control', access: 'query', needs: ['object'] },
]
const of = (info: Parameters<typeof methodOptions>[1], hasObject: boolean): string[] =>
  methodOptions(list, info, hasObject).map(({ group, label, note, disabled }) => `${group}: ${label}, ${note}${disabled ? ', off' : ''}`)

test('methods stand by what they ask of a model, and say what they miss', () => {
  const all = { name: 'demo', access: 'gradient', multiplyAdds: 1000 } as const
  expect(of(all, true)).toEqual([
    'From outputs alone: RISE, perturbation', 'With gradients: NeuroMask, mask', 'With gradients: Grad-CAM, activation map', 'Controls: Oracle, ',
  ])
  expect(of(all, false).at(-1)).toBe('Controls: Oracle, needs the true object, off')
  // Gradients without a graph of ours, and outputs alone.
  expect(of({ ...all, multiplyAdds: null }, true)[2]).toBe('With gradients: Grad-CAM, needs layers, off')
  expect(of({ ...all, access: 'query', multiplyAdds: null }, true).slice(0, 3))
    .toEqual(['From outputs alone: RISE, perturbation', 'With gradients: NeuroMask, needs gradients, off', 'With gradients: Grad-CAM, needs gradients, off'])
  // Before a model is open nothing is refused.
  expect(of(null, false).some((line) => line.endsWith('off'))).toBe(false)
})
