import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { readOnnx } from '#engine/graph/onnx-format/read.ts'
import type { OnnxSource, Preprocessing } from '#shared/domain/model.ts'
import { loadOnnxruntime } from '#engine/graph/onnxruntime/runtime.ts'
import { dataPath, dataTest } from '../data.ts'
import { channelsFirst } from '../unit/engine/graph/onnx/run-file.ts'
import { plain, randomImages, worst } from '../unit/engine/graph/models.ts'

const files = ['cifar10/resnet20', 'cifar10/resnet_2b', 'imagenet/mobilenet_v1_0.25_128', 'imagenet/mobilenet_v1_0.5_160'] as const
const cifar: Preprocessing = { ...plain, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

const { ort } = await loadOnnxruntime()

beforeAll(async () => {
  await selectBackend('wasm')
})

describe.skipIf(!ort)('pretrained ONNX files', () => {
  for (const name of files) {
    const executors = ['tfjs', 'onnxruntime'] as const
    for (const executor of executors) {
      dataTest(`${name} on ${executor} gives what its own file gives`, async () => {
        const bytes = readFileSync(dataPath('models', name, 'model.onnx'))
        const preprocessing = name.startsWith('cifar10') ? cifar : plain
        const source: OnnxSource = { format: 'onnx', name, sha256: '0', bytes, external: {}, preprocessing, labels: null, head: undefined }
        const classifier = await loadClassifier(source, { ...plainUse, executor })
        expect(classifier.info.access).toBe('gradient')
        const { height, width, channels } = classifier.info.input
        const images = randomImages(3, height, width, channels)
        const found = await classifier.logits(images)

        const session = await ort!.InferenceSession.create(bytes)
        const input = readOnnx(bytes).graph.inputs.at(-1)!.name
        const scaled = images.data.map((v, i) => (v - preprocessing.mean[i % 3]!) / preprocessing.std[i % 3]!)
        const size = height * width * channels
        const expected: number[] = []
        for (let i = 0; i < 3; i++) {
          const image = channelsFirst(scaled.subarray(i * size, (i + 1) * size), [1, height, width, channels])
          const result = await session.run({ [input]: new ort!.Tensor('float32', image, [1, channels, height, width]) })
          expected.push(...(result[session.outputNames[0]!]!.data as Float32Array))
        }
        await session.release()
        expect(worst(found, Float32Array.from(expected))).toBeLessThan(1e-3)
        classifier.dispose()
      })
    }
  }
})
