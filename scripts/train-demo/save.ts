import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { io } from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { sceneClasses } from '#engine/scenes/scenes.ts'
import { withSoftmax, type Network } from './networks.ts'
import type { TrainingOptions } from './train.ts'

export interface Training {
  options: TrainingOptions
  steps: number
  minutes: number
  /** Top-1 on 2,000 evaluation scenes (seeds from 2,000,000) of each kind; absent in a checkpoint. */
  scores?: { scenes: number; scenesShifted: number }
}

/** Writes a TF.js layers model with one shard, and its card. */
export async function saveModel(folder: string, network: Network, model: Sequential, training: Training): Promise<void> {
  await mkdir(folder, { recursive: true })
  await withSoftmax(model).save({
    async save(artifacts) {
      const shard = 'group1-shard1of1.bin'
      const manifest = [{ paths: [shard], weights: artifacts.weightSpecs }]
      const { modelTopology, format, generatedBy } = artifacts
      await writeFile(path.join(folder, 'model.json'), JSON.stringify({ format, generatedBy, modelTopology, weightsManifest: manifest }))
      const weights = new io.CompositeArrayBuffer(artifacts.weightData).slice()
      await writeFile(path.join(folder, shard), new Uint8Array(weights))
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    },
  })
  await writeFile(path.join(folder, 'model-card.json'), `${JSON.stringify(cardOf(network, training), null, 2)}\n`)
}

function cardOf(network: Network, { options, steps, minutes, scores }: Training): object {
  return {
    name: network.name,
    fit: 'squash',
    range: [0, 1],
    head: 'softmax',
    labels: sceneClasses,
    training: {
      network: network.description,
      data: `procedural scenes, seeds ${network.scenes[0]} to ${network.scenes[1] - 1}, of which ${options.fresh} new ones per step`,
      augmentation: 'quarter turns and mirroring, brightness × 0.85 to 1.1',
      objectFree: `${100 * options.objectFree}% of the scenes without their object, labelled uniformly, a third of these on one colour`,
      curriculum: `over the first ${options.easyScenes} scenes the share of plain ones falls from 1 to 0 and the objects’ turns grow from none to any`,
      guidance: 'a second head, dropped afterwards, names the object at each of the 8×8 places of the last feature map; its weight falls from 1 to 0',
      labelSmoothing: options.labelSmoothing,
      optimizer: `Adam, rate ${options.learningRate}, ${options.warmUp} steps of warm-up, then half a cosine to 0`,
      batch: options.batch,
      steps,
      plannedSteps: options.steps,
      seed: network.seed,
      minutes: Math.round(minutes * 10) / 10,
      command: `npm run train:demo -- ${network.name}`,
    },
    ...(scores && { scores: { top1: scores.scenes, top1Shifted: scores.scenesShifted, on: '2,000 evaluation scenes each, seeds from 2,000,000' } }),
  }
}
