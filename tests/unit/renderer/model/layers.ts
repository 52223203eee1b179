import type { LayersReport } from '#shared/contract/models.ts'

type Layer = LayersReport['layers'][number]

export function layer(part: Partial<Layer> = {}): Layer {
  return {
    name: 'layer', op: 'conv2d', operation: 'conv 3×3, ReLU', inputs: [], shape: [8, 8, 4], parameters: 100, multiplyAdds: 1000,
    receptiveField: { size: 3, stride: 1 }, computes: [], cam: false, ...part,
  }
}

/** A residual block and its head. */
export const report: LayersReport = {
  layers: [
    layer({ name: 'input', op: 'input', operation: 'input', parameters: 0, multiplyAdds: 0, receptiveField: { size: 1, stride: 1 } }),
    layer({ name: 'stem', inputs: ['input'], parameters: 448, multiplyAdds: 9000, computes: ['stem', 'stem/bn'], cam: true }),
    layer({ name: 'a', inputs: ['stem'], multiplyAdds: 4000, receptiveField: { size: 5, stride: 1 }, cam: true }),
    layer({ name: 'b', inputs: ['a'], multiplyAdds: 4000, receptiveField: { size: 7, stride: 1 }, cam: true }),
    layer({ name: 'add', op: 'binary', operation: 'add', inputs: ['b', 'stem'], parameters: 0, multiplyAdds: 0, receptiveField: { size: 7, stride: 1 } }),
    layer({ name: 'mean', op: 'reduce', operation: 'mean over height and width', inputs: ['add'], shape: [4], parameters: 0, multiplyAdds: 0, receptiveField: null }),
    layer({ name: 'logits', op: 'dense', operation: 'dense', inputs: ['mean'], shape: [3], parameters: 15, multiplyAdds: 12, receptiveField: null }),
  ],
  camLayer: 'b',
  notes: [],
}
