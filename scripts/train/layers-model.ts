import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { io, tensor } from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { createFiles } from '#storage/files.ts'
import { withSoftmax } from './stack.ts'

const shard = 'group1-shard1of1.bin'

/** Writes a TF.js layers model with one shard, softmax at its end, and its card. */
export async function writeLayersModel(folder: string, model: Sequential, card: object): Promise<void> {
  const files = createFiles()
  await files.makeFolder(folder)
  await withSoftmax(model).save({
    async save(artifacts) {
      const manifest = [{ paths: [shard], weights: artifacts.weightSpecs }]
      const { modelTopology, format, generatedBy } = artifacts
      const weights = new io.CompositeArrayBuffer(artifacts.weightData).slice()
      await files.write(path.join(folder, shard), new Uint8Array(weights))
      await files.write(path.join(folder, 'model.json'), JSON.stringify({ format, generatedBy, modelTopology, weightsManifest: manifest }))
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    },
  })
  await files.write(path.join(folder, 'model-card.json'), `${JSON.stringify(card, null, 2)}\n`)
}

/** Puts the weights of a saved model into a network of the same layers. */
export async function readLayersWeights(folder: string, model: Sequential): Promise<void> {
  const { weightsManifest } = JSON.parse(await readFile(path.join(folder, 'model.json'), 'utf8')) as {
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[]
  }
  const { paths, weights } = weightsManifest[0]!
  const bytes = await readFile(path.join(folder, paths[0]!))
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  let offset = 0
  const saved = new Map(weights.map(({ name, shape }) => {
    const length = shape.reduce((a, b) => a * b, 1)
    offset += length
    return [name, tensor(values.subarray(offset - length, offset), shape)]
  }))
  for (const weight of model.weights) {
    const value = saved.get(weight.originalName)
    if (!value) throw new Error(`${folder}/model.json lacks the weight ${weight.originalName}.`)
    weight.write(value)
  }
  for (const value of saved.values()) value.dispose()
}
