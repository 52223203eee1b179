import * as tf from '@tensorflow/tfjs-core'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { WeightSpec } from '#shared/domain/model.ts'
import type { Weight } from '../graph.ts'
import { sizeOf } from '../graph.ts'

export interface DecodedWeight extends Weight {
  readonly dtype: string
}

const bytesPerElement: Record<string, number> = { float32: 4, int32: 4, uint8: 1, uint16: 2, float16: 2, bool: 1 }

/**
 * The weights of a TF.js model as plain arrays: float32, float16 and uint8/uint16-quantised shards; integers and booleans
 * become floats of the same value.
 * @throws MaskscopeError 'input' where the shards are short or long, a type is unknown, or a number is not finite.
 */
export function decodeWeights(specs: readonly WeightSpec[], data: Uint8Array): Map<string, DecodedWeight> {
  const numeric = checkLengths(specs, data)
  const decoded = tf.io.decodeWeights(
    data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer,
    numeric.map((s) => ({ ...s, shape: [...s.shape] })) as unknown as tf.io.WeightsManifestEntry[],
  )
  const weights = new Map<string, DecodedWeight>()
  try {
    for (const spec of numeric) {
      const values = decoded[spec.name]!.dataSync()
      const floats = values instanceof Float32Array ? values : Float32Array.from(values)
      const bad = floats.findIndex((v) => !Number.isFinite(v))
      if (bad >= 0) {
        throw new MaskscopeError('input', `Weight ${spec.name} holds ${floats[bad]} at position ${bad}; a model with such weights cannot be explained. Convert or train it again.`, { subject: spec.name })
      }
      weights.set(spec.name, { shape: [...spec.shape], data: floats, dtype: spec.dtype })
    }
  } finally {
    tf.dispose(Object.values(decoded))
  }
  return weights
}

/** Strings (vocabularies and the like) have no stated length and cannot be weights of an image classifier. */
function checkLengths(specs: readonly WeightSpec[], data: Uint8Array): readonly WeightSpec[] {
  let needed = 0
  for (const spec of specs) {
    const dtype = spec.quantization?.dtype ?? spec.dtype
    const bytes = bytesPerElement[dtype]
    if (bytes === undefined) {
      throw new MaskscopeError('input', `Weight ${spec.name} has the type ${dtype}, which image classifiers do not use; float32, float16, uint8, uint16, int32 and bool can be read.`, { subject: spec.name })
    }
    const size = spec.shape.every((n) => Number.isInteger(n) && n >= 0) ? sizeOf(spec.shape) : NaN
    if (Number.isNaN(size)) {
      throw new MaskscopeError('input', `Weight ${spec.name} states the impossible shape [${spec.shape.join(', ')}]; download the model again.`, { subject: spec.name })
    }
    if (needed + size * bytes > data.byteLength) {
      throw new MaskscopeError('input', `The weight shards end inside weight ${spec.name}: ${needed + size * bytes} bytes are needed so far and there are ${data.byteLength}. Download or copy the model's .bin files again.`, { subject: spec.name })
    }
    needed += size * bytes
  }
  if (needed !== data.byteLength) {
    throw new MaskscopeError('input', `The weight shards hold ${data.byteLength} bytes but model.json describes ${needed}; the files do not belong together. Download or copy the model again.`)
  }
  return specs
}
