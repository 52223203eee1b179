import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { sceneClasses } from '#engine/scenes/scenes.ts'
import { readLayersWeights, writeLayersModel } from '../train/layers-model.ts'
import type { Network } from './networks.ts'
import type { TrainingOptions } from './train.ts'

export interface Training {
  /** Those done, the last perhaps in part. */
  rounds: readonly TrainingOptions[]
  lastSteps: number
  minutes: number
  /** Top-1 on 2,000 evaluation scenes (seeds from 2,000,000) of each kind; absent in a checkpoint. */
  scores?: { scenes: number; scenesShifted: number }
  /** The last round is over. */
  done?: boolean
}

/** Writes a TF.js layers model with one shard, and its card. */
export function saveModel(folder: string, network: Network, model: Sequential, training: Training): Promise<void> {
  return writeLayersModel(folder, model, cardOf(network, training))
}

function cardOf(network: Network, { rounds, lastSteps, minutes, scores, done }: Training): object {
  const { easyScenes, labelSmoothing, batch, fresh } = rounds[0]!
  return {
    name: network.name,
    fit: 'squash',
    resizeFilter: 'lanczos3',
    range: [0, 1],
    mean: [0],
    std: [1],
    channelOrder: 'rgb',
    head: 'softmax',
    labels: sceneClasses,
    training: {
      network: network.description,
      data: `procedural scenes, seeds ${network.scenes[0]} to ${network.scenes[1] - 1}, of which ${fresh} new ones per step`,
      augmentation: 'quarter turns and mirroring, brightness × 0.85 to 1.1',
      objectFree: 'a share of the scenes (in each round) is without its object and labelled uniformly, a third of these on one colour',
      curriculum: `over the first ${easyScenes} scenes the share of plain ones falls from 1 to 0 and the objects' turns grow from none to any`,
      guidance: "a second head, dropped afterwards, names the object at each of the 8×8 places of the last feature map; its weight falls from 1 to 0 in each round",
      labelSmoothing,
      optimizer: 'Adam; in each round the rate rises linearly and falls to 0 along half a cosine',
      batch,
      rounds: rounds.map(({ steps, learningRate, warmUp, objectFree }, i) => ({ steps: i === rounds.length - 1 ? lastSteps : steps, ofSteps: steps, learningRate, warmUp, objectFree })),
      seed: network.seed,
      minutes: Math.round(minutes * 10) / 10,
      ...(done && { done }),
      command: `npm run train:demo -- ${network.name}`,
    },
    ...(scores && { scores: { top1: scores.scenes, top1Shifted: scores.scenesShifted, on: '2,000 evaluation scenes each, seeds from 2,000,000' } }),
  }
}

/**
 * Puts the weights of a saved model into a network of the same layers.
 * @returns the minutes it was trained for
 */
export async function loadWeights(folder: string, model: Sequential): Promise<number> {
  await readLayersWeights(folder, model)
  const card = JSON.parse(await readFile(path.join(folder, 'model-card.json'), 'utf8')) as { training: { minutes: number } }
  return card.training.minutes
}
