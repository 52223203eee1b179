/** One node of the frozen graph, as the inspector shows it. */
export interface LayerInfo {
  /** Unique in the graph; what methods are given. */
  name: string
  /** The graph's name of the operation, e.g. "conv2d". */
  op: string
  /** What it computes, for people, e.g. "conv 3×3, stride 2, ReLU". */
  operation: string
  /** Names of the layers it reads. */
  inputs: readonly string[]
  /** Of one image's output, e.g. [14, 14, 256]. */
  shape: readonly number[]
  parameters: number
  multiplyAdds: number
  /**
   * Side of the square of input pixels that one output place depends on, and the steps between places; of size 0 where nothing of the
   * picture is read, null once it depends on all of it.
   */
  receptiveField: { size: number; stride: number } | null
  /** The file's layers or nodes that this one computes; more than one where import folded them. */
  computes: readonly string[]
  /** At least 4×4 places of what convolutions found, or of what is made of it (sums, activations, pooling): CAM methods can take it. */
  cam: boolean
}

/** The frozen graph of a classifier, for people. */
export interface GraphReport {
  layers: readonly LayerInfo[]
  /** The layer CAM methods take unless told otherwise: the last convolution with at least 4×4 places. Null where there is none. */
  camLayer: string | null
  /** What import folded, cancelled, assumed or could not express, one sentence each. */
  notes: readonly string[]
}
