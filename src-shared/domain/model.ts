import type { ExecutorChoice } from './executor.ts'
import type { Head } from './score.ts'

/** How a classifier turns a picture into its input. Everything the file itself does not state. */
export interface Preprocessing {
  /** `squash`: the whole picture, stretched to the input; `crop`: the central square of `cropFraction` of the shorter side. */
  fit: 'squash' | 'crop'
  /** In (0, 1]; used by `crop` only. */
  cropFraction: number
  /** The antialiasing filter of the one resize. */
  resizeFilter: 'lanczos3' | 'bicubic' | 'bilinear' | 'box'
  /** [0, 1] is mapped to [lo, hi] before mean and std. */
  range: readonly [number, number]
  /** Per channel, subtracted after the range. */
  mean: readonly number[]
  /** Per channel, divided by after the mean. */
  std: readonly number[]
  channelOrder: 'rgb' | 'bgr'
  /** The input is so many times as high and as wide as the file says, for networks that pool over all places; 1 where it is absent. */
  inputScale?: number | undefined
}

/** Access a classifier offers and a method needs; `gradient` includes `query`. */
export type Access = 'query' | 'gradient'

/** What the workbench knows of a loaded classifier. */
export interface ModelInfo {
  name: string
  /** Of the model file and all that belongs to it, hex. */
  sha256: string
  /** What the file is, e.g. "TF.js layers model" or "ONNX model, opset 17". */
  format: string
  input: { height: number; width: number; channels: number }
  classes: number
  /** One per class, or null where nobody states them. */
  labels: readonly string[] | null
  head: Head
  access: Access
  preprocessing: Preprocessing
  parameters: number
  /** Multiply-adds of one forward pass, where the graph is ours. */
  multiplyAdds: number | null
  /** What import folded, inferred or could not express, one sentence each. */
  notes: readonly string[]
  executor: ExecutorChoice
}

interface SourceBase {
  name: string
  /** Of the model file and all that belongs to it, hex. */
  sha256: string
  preprocessing: Preprocessing
  labels: readonly string[] | null
  /** As stated by the card; inferred from the graph where undefined. */
  head: Head | undefined
}

export interface TfjsSource extends SourceBase {
  format: 'tfjs-layers' | 'tfjs-graph'
  /** The parsed `modelTopology` of model.json. */
  topology: unknown
  /** `weights` entries of all manifest groups, in order. */
  weightSpecs: readonly WeightSpec[]
  /** The concatenated shards. */
  weightData: Uint8Array
}

export interface OnnxSource extends SourceBase {
  format: 'onnx'
  /** The model file. */
  bytes: Uint8Array
  /** Weights kept in files of their own, by the location that the model states. */
  external: Readonly<Record<string, Uint8Array>>
}

/** A model as the services hand it to the engine: no file system behind it. */
export type ModelSource = TfjsSource | OnnxSource

export interface WeightSpec {
  name: string
  shape: readonly number[]
  dtype: string
  quantization?: { dtype: string; scale?: number; min?: number; original_dtype?: string }
}
