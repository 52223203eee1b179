import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createRandom } from '#shared/random/random.ts'
import type { Network } from './layers.ts'

/** What every engine is given: a picture H·W·3, the target, and the mask's parameters to begin with. */
export interface Task {
  image: Float32Array
  target: number
  start: Float32Array
}

/** The seed of every run that is timed. */
export const runSeed = 1

export function taskFor(network: Network): Task {
  const { side } = network
  const random = createRandom(1, 'picture')
  const image = Float32Array.from({ length: side * side * 3 }, () => random.uniform())
  // As NeuroMask begins in the published setting.
  const start = createRandom(runSeed, 'neuromask', 'start', 0)
  return { image, target: 1, start: Float32Array.from({ length: side * side }, () => start.between(-10, 10)) }
}

/** NAME.json and float32 files beside it, for bench/peers/pytorch.py. */
export async function writeNetwork(folder: string, network: Network, task: Task): Promise<void> {
  await mkdir(folder, { recursive: true })
  const file = (ending: string): string => path.join(folder, `${network.name}${ending}`)
  await writeFile(file('.json'), JSON.stringify({ side: network.side, target: task.target, layers: network.layers }))
  for (const [ending, values] of [['.bin', network.weights], ['.image.bin', task.image], ['.start.bin', task.start]] as const) {
    await writeFile(file(ending), new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
}
