import * as z from 'zod/mini'
import { executorIds } from '../domain/executor.ts'
import { families, needs } from '../domain/method.ts'
import { heads } from '../domain/score.ts'
import { call } from './define.ts'
import { bytes, count, handle, nothing, parameterValue, size, text } from './values.ts'

export const preprocessing = z.object({
  fit: z.enum(['squash', 'crop']),
  cropFraction: z.number(),
  resizeFilter: z.enum(['lanczos3', 'bicubic', 'bilinear', 'box']),
  range: z.tuple([z.number(), z.number()]),
  mean: z.array(z.number()),
  std: z.array(z.number()),
  channelOrder: z.enum(['rgb', 'bgr']),
  inputScale: z.optional(z.int().check(z.minimum(1), z.maximum(8))),
})

/** In ms. */
const timing = z.object({ forward: z.number(), gradient: z.nullable(z.number()) })

/** As `ExecutorChoice` of the domain. */
export const executorChoice = z.object({
  id: z.enum(executorIds),
  reason: text(20_000),
  measured: z.object({ onnxruntime: z.optional(timing), tfjs: z.optional(timing) }),
  version: z.nullable(text(32)),
})

/** As `ModelInfo` of the domain. */
export const modelInfo = z.object({
  name: text(), sha256: text(64), format: text(),
  input: z.object({ height: size, width: size, channels: size }),
  classes: size,
  labels: z.nullable(z.array(text())),
  head: z.enum(heads),
  access: z.enum(['query', 'gradient']),
  preprocessing,
  parameters: count,
  multiplyAdds: z.nullable(count),
  notes: z.array(text(20_000)),
  executor: executorChoice,
})

/** As `GraphReport` of the domain. */
export const graphReport = z.object({
  layers: z.array(z.object({
    name: text(), op: text(64), operation: text(), inputs: z.array(text()), shape: z.array(size), parameters: count, multiplyAdds: count,
    receptiveField: z.nullable(z.object({ size: z.number(), stride: z.number() })), computes: z.array(text()), cam: z.boolean(),
  })),
  camLayer: z.nullable(text()),
  notes: z.array(text(20_000)),
})
export type LayersReport = z.infer<typeof graphReport>

/** What a person states of a model that has no card, or against its card. */
export const stated = z.object({
  fit: z.optional(z.enum(['squash', 'crop'])),
  range: z.optional(z.tuple([z.number(), z.number()])),
  /** One number for all channels, or one per channel. */
  mean: z.optional(z.array(z.number()).check(z.minLength(1), z.maxLength(4))),
  /** Positive; as `mean`. */
  std: z.optional(z.array(z.number().check(z.positive())).check(z.minLength(1), z.maxLength(4))),
  /** A labels file. */
  labels: z.optional(handle),
  inputScale: z.optional(z.int().check(z.minimum(1), z.maximum(8))),
})
export type Stated = z.infer<typeof stated>

export const openModel = z.object({
  state: z.literal('open'),
  /** Names it in later calls. */
  model: handle,
  info: modelInfo,
  /** A bundled model's name, or where it was found. */
  place: text(),
  bundled: z.boolean(),
  /** No card says what the file does not; what was stated or assumed can be saved as one. */
  cardless: z.boolean(),
  stated,
  /** Which defaults were taken. */
  notes: z.array(text(20_000)),
})
export type OpenModel = z.infer<typeof openModel>

/** Not loaded yet: the file does not say how pixels enter the network, and nobody has said it so far. */
export const incompleteModel = z.object({
  state: z.literal('incomplete'),
  file: handle,
  name: text(),
  stated,
  /** The fields that must be stated. */
  missing: z.array(z.enum(['range', 'fit', 'labels'])),
  message: text(20_000),
})
export type IncompleteModel = z.infer<typeof incompleteModel>

export const models = {
  calls: {
    'models.bundled': call(nothing, z.array(z.object({ name: text(), title: text(), note: text() }))),
    /** @throws 'input' or 'usage' naming file or field */
    'models.open': call(z.object({
      from: z.union([z.object({ bundled: text(64) }), z.object({ file: handle })]), stated,
    }), z.discriminatedUnion('state', [openModel, incompleteModel])),
    /** Chooses anew what runs it, since that was set otherwise; measures where that decides. @throws 'unavailable' where what is asked for cannot run it */
    'models.choose': call(z.object({ model: handle }), executorChoice),
    /** The frozen graph; null where it cannot express the model, which then runs as it is. */
    'models.inspect': call(z.object({ model: handle }), z.object({ report: z.nullable(graphReport) })),
    /** Writes model-card.json beside the model; `card` is what it holds, since the model may lie where only uploads do. */
    'models.saveCard': call(z.object({ model: handle }), z.object({ file: text(), card: text(16 << 20) })),
  },
  streams: {},
}

const area = z.object({ width: size, height: size })
/** As `View` of the domain. */
export const view = z.object({
  picture: area,
  crop: z.object({ left: count, top: count, width: size, height: size }),
  size: area,
})

export const dataKinds = ['idx', 'cifar10', 'folder', 'list', 'boxes', 'segmentation'] as const

/** A data set of files, as the command line writes it: `idx:DIR:train`, `list:FILE.csv`, `mosaic:2(boxes:DIR)`. */
export const dataSet = z.object({
  kind: z.enum(dataKinds),
  /** A folder; of a list its file. */
  place: handle,
  /** Only of those that are packed in parts. */
  part: z.enum(['test', 'train']),
  /** So many images a side are shown together; null: each by itself. */
  mosaic: z.nullable(z.int().check(z.gte(2), z.lte(8))),
})
export type DataSet = z.infer<typeof dataSet>

export const openImage = z.object({
  /** Names it in later calls. */
  image: handle,
  /** What a person calls it: `pets.jpg`, `scene:2000007`. */
  name: text(),
  kind: z.enum(['file', 'scene', 'pasted']),
  width: size,
  height: size,
  /** The class that a scene or a data set states. */
  label: z.nullable(text()),
  /** Where the evidence for the label lies is known: of scenes, boxes, segmentations, mosaics. */
  truth: z.boolean(),
  /** What decoding did to it. */
  notes: z.array(text()),
  /** PNG, at most 96 px. */
  thumbnail: bytes(1 << 20),
})
export type OpenImage = z.infer<typeof openImage>

const classScore = z.object({ index: count, label: z.nullable(text()), probability: z.nullable(z.number()), logit: z.number() })
export type ClassScore = z.infer<typeof classScore>

export const images = {
  calls: {
    /** A folder or what is asked of a data set may be several; at most 500 are opened. */
    'images.open': call(z.object({
      from: z.union([z.object({ file: handle }), z.object({ scene: text(64) }), z.object({ data: dataSet, indices: z.array(count).check(z.minLength(1), z.maxLength(500)) }), z.object({ name: text(), bytes: bytes(64 << 20) })]),
    }), z.array(openImage)),
    /** PNG of the picture, upright, at most 2,048 px long; the sides of the picture are those of `OpenImage`. */
    'images.picture': call(z.object({ image: handle }), z.object({ png: bytes() })),
    /** The classes of highest score, best first. */
    'images.classify': call(z.object({ model: handle, image: handle, top: z.int().check(z.gte(1), z.lte(1000)) }), z.object({ view, top: z.array(classScore) })),
    /** Of a data set, from the `first` on. @throws 'input' naming the file that is not what it claims */
    'data.page': call(z.object({ data: dataSet, first: count, count: z.int().check(z.gte(1), z.lte(100)) }), z.object({
      total: count,
      entries: z.array(z.object({
        index: count, label: z.nullable(text()), truth: z.boolean(), thumbnail: z.nullable(bytes(1 << 20)),
        /** Why it cannot be opened. */
        problem: z.nullable(text(20_000)),
      })),
    })),
    'scenes.page': call(z.object({
      kind: z.enum(['scenes', 'scenes-two', 'scenes-shifted']), first: count, count: z.int().check(z.gte(1), z.lte(100)),
    }), z.array(z.object({ reference: text(64), label: text(), thumbnail: bytes(1 << 20) }))),
  },
  streams: {},
}

const parameterBase = { name: text(64), label: text(), symbol: z.optional(text()), help: text(), group: text(), common: z.optional(z.boolean()), live: z.optional(z.boolean()) }
export const parameter = z.discriminatedUnion('type', [
  z.object({
    ...parameterBase, type: z.literal('number'), default: z.number(), min: z.number(), max: z.number(), step: z.number(),
    integer: z.optional(z.boolean()), logarithmic: z.optional(z.boolean()), unit: z.optional(text()),
  }),
  z.object({ ...parameterBase, type: z.literal('choice'), default: text(), options: z.array(z.object({ value: text(), label: text() })) }),
  z.object({ ...parameterBase, type: z.literal('text'), default: text(), kind: z.enum(['layer', 'methods']) }),
  z.object({ ...parameterBase, type: z.literal('boolean'), default: z.boolean() }),
])

export const methodInfo = z.object({
  id: text(64), title: text(), citation: text(), access: z.enum(['query', 'gradient']),
  family: z.enum(families),
  needs: z.array(z.enum(needs)),
  parameters: z.array(parameter),
  presets: z.array(z.object({ id: text(64), title: text(), source: text(), values: z.record(text(64), parameterValue) })),
})
export type MethodInfo = z.infer<typeof methodInfo>

export const methods = {
  calls: { 'methods.list': call(nothing, z.array(methodInfo)) },
  streams: {},
}
