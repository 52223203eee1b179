import { io } from '@tensorflow/tfjs-core'
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { LayersModelFiles } from '#shared/domain/reconstruction.ts'

const shard = 'weights.bin'

/** A network as the files of a standard TF.js layers model: model.json and one shard. The same weights give the same bytes. */
export async function toFiles(network: LayersModel): Promise<LayersModelFiles> {
  let files: LayersModelFiles | undefined
  await network.save({
    async save({ modelTopology, weightSpecs, weightData, format, generatedBy }) {
      const manifest = [{ paths: [shard], weights: weightSpecs ?? [] }]
      files = {
        json: `${JSON.stringify({ format, generatedBy, convertedBy: null, modelTopology, weightsManifest: manifest })}\n`,
        weights: new Uint8Array(new io.CompositeArrayBuffer(weightData).slice()),
      }
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    },
  })
  return files!
}

/** @throws MaskscopeError 'input' where the files are no such model */
export async function fromFiles({ json, weights }: LayersModelFiles, name: string): Promise<LayersModel> {
  try {
    const { modelTopology, weightsManifest } = JSON.parse(json) as { modelTopology: object; weightsManifest: { weights: io.WeightsManifestEntry[] }[] }
    const weightSpecs = weightsManifest.flatMap((group) => group.weights)
    // A view of a larger buffer would be read from its beginning.
    return await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData: weights.slice().buffer }))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new MaskscopeError('input', `The generator's ${name} cannot be read: ${why} Train the generator again, or restore its files.`, { subject: name, cause: error })
  }
}
