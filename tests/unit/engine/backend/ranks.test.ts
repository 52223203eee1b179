import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, expect, test } from 'vitest'
import { initWasm } from '#engine/backend/wasm.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import { relativeError } from './convolution-cases.ts'

beforeAll(async () => {
  await initWasm()
})

interface Run {
  name: string
  run(): tf.Tensor
}

const upTo6 = (random: Random): number[] => Array.from({ length: 1 + random.below(6) }, () => 1 + random.below(4))

function values(shape: readonly number[], random: Random): Float32Array {
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())
}

/** Each operation on tensors of 1 to 6 dimensions, dimensions of one element among them. */
const operations: Record<string, (random: Random) => Run> = {
  transpose(random) {
    const shape = upTo6(random)
    const permutation = random.shuffle(shape.map((_, i) => i))
    const x = values(shape, random)
    return { name: `${shape.join('×')} to ${permutation.join()}`, run: () => tf.transpose(tf.tensor(x, shape), permutation) }
  },
  broadcast(random) {
    const shape = upTo6(random)
    const one = (): number[] => shape.slice(random.below(shape.length)).map((n) => (random.below(2) === 0 ? 1 : n))
    const [a, b] = random.below(2) === 0 ? [shape, one()] : [one(), shape]
    const [x, y] = [values(a, random), values(b, random).map((v) => v + 3)]
    const f = [tf.add, tf.sub, tf.mul, tf.div, tf.maximum, tf.minimum, tf.squaredDifference, tf.pow, tf.greater, tf.less, tf.equal][random.below(11)]!
    return { name: `${f.name} ${a.join('×')} with ${b.join('×')}`, run: () => tf.cast(f(f === tf.pow ? tf.abs(tf.tensor(x, a)) : tf.tensor(x, a), tf.tensor(y, b)), 'float32') }
  },
  reduce(random) {
    const shape = upTo6(random)
    const axes = shape.map((_, i) => i).filter(() => random.below(2) === 0)
    const f = [tf.sum, tf.mean, tf.max, tf.min][random.below(4)]!
    const keep = random.below(2) === 0
    const x = values(shape, random)
    return { name: `${f.name} of ${shape.join('×')} over ${axes.join()}`, run: () => f(tf.tensor(x, shape), axes.length > 0 ? axes : undefined, keep) }
  },
  pad(random) {
    const shape = upTo6(random)
    const paddings = shape.map((): [number, number] => [random.below(3), random.below(3)])
    const x = values(shape, random)
    return { name: `${shape.join('×')} by ${paddings.join(' ')}`, run: () => tf.pad(tf.tensor(x, shape), paddings, 0.5) }
  },
  reverse(random) {
    const shape = upTo6(random)
    const axes = shape.map((_, i) => i).filter(() => random.below(2) === 0)
    const x = values(shape, random)
    return { name: `${shape.join('×')} over ${axes.join()}`, run: () => tf.reverse(tf.tensor(x, shape), axes) }
  },
  gather(random) {
    const shape = upTo6(random)
    const axis = random.below(shape.length)
    const indices = Array.from({ length: 1 + random.below(6) }, () => random.below(shape[axis]!))
    const x = values(shape, random)
    return { name: `${shape.join('×')} at ${indices.join()} of ${axis}`, run: () => tf.gather(tf.tensor(x, shape), tf.tensor1d(indices, 'int32'), axis) }
  },
  where(random) {
    const shape = upTo6(random)
    const [c, x, y] = [values(shape, random), values(shape, random), values(shape, random)]
    return { name: shape.join('×'), run: () => tf.where(tf.greater(tf.tensor(c, shape), 0), tf.tensor(x, shape), tf.tensor(y, shape)) }
  },
  softmax(random) {
    const shape = upTo6(random)
    const x = values(shape, random)
    const f = random.below(2) === 0 ? tf.softmax : tf.logSoftmax
    return { name: `${f.name} ${shape.join('×')}`, run: () => f(tf.tensor(x, shape)) }
  },
  matMul(random) {
    const outer = upTo6(random).slice(0, 4)
    const [m, k, n] = [1 + random.below(20), 1 + random.below(20), 1 + random.below(20)]
    const [ta, tb] = [random.below(2) === 0, random.below(2) === 0]
    const [a, b] = [[...outer, ...(ta ? [k, m] : [m, k])], [...outer, ...(tb ? [n, k] : [k, n])]]
    const [x, y] = [values(a, random), values(b, random)]
    return { name: `${a.join('×')} with ${b.join('×')} ${ta} ${tb}`, run: () => tf.matMul(tf.tensor(x, a), tf.tensor(y, b), ta, tb) }
  },
}

test.each(Object.entries(operations))('%s of any rank gives on WASM what it gives on cpu', async (_name, make) => {
  const cases = Array.from({ length: 60 }, (_, i) => make(createRandom(i, _name)))
  const all = async (backend: string): Promise<{ shape: number[]; data: Float32Array }[]> => {
    await tf.setBackend(backend)
    return cases.map(({ run }) => tf.tidy(() => {
      const y = run()
      return { shape: y.shape, data: y.dataSync() as Float32Array }
    }))
  }
  const expected = await all('cpu')
  const found = await all('wasm')
  for (const [i, { name }] of cases.entries()) {
    expect(found[i]!.shape, name).toEqual(expected[i]!.shape)
    expect(relativeError(found[i]!.data, expected[i]!.data), name).toBeLessThan(1e-5)
  }
})
