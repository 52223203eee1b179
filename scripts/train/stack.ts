import { initializers, layers, sequential, type Sequential } from '@tensorflow/tfjs-layers'

/** A convolution with batch normalisation and ReLU, perhaps a pooling behind it. */
export interface Stage {
  kernel: number
  filters: number
  stride?: number
  pool?: 'max'
}

export interface StackShape {
  /** [height, width, channels] */
  input: [number, number, number]
  classes: number
  /** Units of a dense layer with ReLU before the last one; none where undefined. */
  hidden?: number
  /** The dense layers see the feature map place by place, not its mean. */
  flat?: boolean
}

/** Stages, global average pooling (or none), dense layers; ends in logits. The same weights for the same seed. */
export function stack(seed: number, stages: readonly Stage[], { input, classes, hidden, flat = false }: StackShape): Sequential {
  let drawn = seed * 1000
  const kernelInitializer = (): ReturnType<typeof initializers.heNormal> => initializers.heNormal({ seed: drawn++ })
  const model = sequential()
  stages.forEach(({ kernel, filters, stride = 1, pool }, i) => {
    model.add(
      layers.conv2d({
        name: `conv${i + 1}`, kernelSize: kernel, filters, strides: stride, padding: 'same', useBias: false,
        kernelInitializer: kernelInitializer(), ...(i === 0 && { inputShape: input }),
      }),
    )
    model.add(layers.batchNormalization({ name: `norm${i + 1}` }))
    model.add(layers.reLU({ name: `relu${i + 1}` }))
    if (pool) model.add(layers.maxPooling2d({ name: `pool${i + 1}`, poolSize: 2 }))
  })
  model.add(flat ? layers.flatten({ name: 'flatten' }) : layers.globalAveragePooling2d({ name: 'average' }))
  if (hidden) model.add(layers.dense({ name: 'hidden', units: hidden, activation: 'relu', kernelInitializer: kernelInitializer() }))
  model.add(layers.dense({ name: 'logits', units: classes, kernelInitializer: initializers.glorotUniform({ seed: drawn++ }) }))
  return model
}

/** The same layers, and so the same weights, with a softmax at the end. */
export function withSoftmax(model: Sequential): Sequential {
  return sequential({ layers: [...model.layers, layers.softmax({ name: 'probabilities' })] })
}
