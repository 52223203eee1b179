import * as z from 'zod/mini'
import { call, stream } from './define.ts'
import { dataKinds, parameter } from './models.ts'
import { runStates } from './runs.ts'
import { bytes, count, error, handle, map, nothing, parameterValues, probability, size, text } from './values.ts'

/** What a reconstruction is busy with. */
export const reconstructionPhases = ['salient', 'training', 'report'] as const
export type ReconstructionPhase = (typeof reconstructionPhases)[number]

/** Of a reconstruction in the open study; also the name of its folder. */
export const reconstructionId = text(128)

/** Pictures of one size, 8-bit, [count, height, width, channels]. */
export const pictures = z.object({ count, height: size, width: size, channels: z.literal([1, 3]), data: bytes(64 << 20) })
export type Pictures = z.infer<typeof pictures>

/** Where the images come from: a data set of files, whose own parts are kept apart, or scenes drawn from seeds. */
export const reconstructionData = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal(dataKinds), place: handle }),
  z.object({ kind: z.literal('scenes') }),
])
export type ReconstructionData = z.infer<typeof reconstructionData>

const interval = z.object({ mean: z.number(), low: z.number(), high: z.number() })
const diversity = z.object({ outside: probability, inside: probability, outsideReal: probability, insideReal: probability })
function controlsOf<Value extends z.ZodMiniType>(value: Value) {
  return z.object({ empty: value, randomMask: value, swapped: value, maskAlone: value, salientUndecoded: value, randomOfClass: value })
}

/** As `ReconstructionReport` of the domain. */
export const reconstructionReport = z.object({
  images: count,
  classifierAccuracy: probability, judgeAccuracy: probability, judgeOnClean: probability,
  rawAgreement: z.nullable(interval), inLoop: z.number(),
  controls: controlsOf(probability),
  acceptance: z.array(z.object({ temperature: z.number(), rate: z.number(), images: count, outside: probability, inside: probability })),
  diversity,
  memorising: z.object({ p: z.number(), high: z.number() }),
  perClass: z.array(z.object({
    class: count, label: z.nullable(text()), images: count, inLoop: z.number(), rawAgreement: probability, judgeOnClean: probability,
    acceptance: z.number(), empty: z.number(), randomMask: z.number(), maskAlone: z.number(), diversity,
  })),
  confusion: z.array(z.array(count)),
  generator: text(),
  intervals: z.object({ inLoop: interval, controls: controlsOf(z.nullable(interval)) }),
  judgeControls: z.nullable(controlsOf(probability)),
})
export type WindowReport = z.infer<typeof reconstructionReport>

export const reconstructionRow = z.object({
  reconstruction: reconstructionId,
  state: z.enum(runStates),
  phase: z.nullable(z.enum(reconstructionPhases)),
  /** ISO 8601, UTC. */
  created: text(40),
  /** For people: `idx:fashion-mnist`. */
  data: text(),
  /** That it learns from; null: all of its data. */
  images: z.nullable(count),
  model: text(), judge: z.nullable(text()),
  method: text(64), parameters: parameterValues,
  settings: parameterValues,
  seed: count,
  /** Of the phase, in images, steps or parts; `all` is null while nobody knows. */
  done: count, all: z.nullable(count), secondsLeft: z.nullable(z.number()),
  /** Finished ones. */
  epoch: count, epochs: count,
  /** There is a generator to sample from. */
  generator: z.boolean(),
  /** The share that keeps the explained classifier's prediction, once reported. */
  inLoop: z.nullable(z.number()),
  error: z.nullable(error),
})
export type ReconstructionRow = z.infer<typeof reconstructionRow>

const losses = z.object({ reconstruction: z.number(), kl: z.number(), classifier: z.optional(z.number()), total: z.number() })

/** One point of the curves. Of a step its batch; at the end of an epoch the means over it, and over the validation images. */
export const trainingPoint = z.object({
  /** In epochs: 1.5 is the middle of the second. */
  at: z.number(),
  losses,
  epoch: z.nullable(z.object({ training: losses, validation: z.nullable(losses) })),
})
export type TrainingPoint = z.infer<typeof trainingPoint>
export type TrainingLosses = z.infer<typeof losses>

/** As `TrainingSamples` of the domain. */
export const trainingSamples = z.object({ images: pictures, salient: pictures, reconstructions: pictures, drawn: pictures })
export type WindowSamples = z.infer<typeof trainingSamples>

const ofOne = z.object({ reconstruction: reconstructionId })

export const reconstructionEvent = z.discriminatedUnion('type', [
  /** First of all, and again when another study is opened. */
  z.object({ type: z.literal('snapshot'), rows: z.array(reconstructionRow) }),
  z.object({ type: z.literal('row'), row: reconstructionRow }),
  /** Deleted; `reconstructions.restore` brings it back. */
  z.object({ type: z.literal('removed'), reconstruction: reconstructionId }),
  /** The latest replaces those not sent yet. */
  z.object({
    type: z.literal('progress'), reconstruction: reconstructionId, phase: z.enum(reconstructionPhases),
    done: count, all: z.nullable(count), secondsLeft: z.nullable(z.number()), epoch: count,
  }),
  /** Never dropped. */
  z.object({ type: z.literal('point'), reconstruction: reconstructionId, point: trainingPoint }),
  z.object({ type: z.literal('samples'), reconstruction: reconstructionId, epoch: count, samples: trainingSamples }),
])
export type ReconstructionEvent = z.infer<typeof reconstructionEvent>

export const reconstructionOrder = z.object({
  data: reconstructionData,
  /** To learn from; null: all there are. */
  images: z.nullable(size),
  /** Of the report, at most. */
  test: size,
  model: handle,
  /** A second classifier, which is in no loss. */
  judge: z.nullable(handle),
  method: text(64), parameters: parameterValues,
  settings: parameterValues,
  seed: count,
})
export type WindowReconstructionOrder = z.infer<typeof reconstructionOrder>

export const variation = z.object({
  probability: z.number(), top: count, topProbability: z.number(), accepted: z.boolean(),
  /** Along a strip. */
  place: z.nullable(z.number()),
})
export type WindowVariation = z.infer<typeof variation>

export const variationOrder = z.object({
  reconstruction: reconstructionId,
  /** Of the test part, counted from 0. */
  image: count,
  kind: z.enum(['posterior', 'interpolation', 'traversal', 'prior']),
  temperature: z.number().check(z.gte(0), z.lte(10)),
  count: z.int().check(z.gte(1), z.lte(256)),
  seed: count,
  /** Accepted only where the outcome's probability is at most so far below the image's; null: any. */
  margin: z.nullable(z.number().check(z.gte(0), z.lte(1))),
  pinned: z.boolean(),
  /** Of an interpolation: the image at its other end. */
  other: z.optional(count),
  /** Of a traversal: which number of the code moves; the one that says most where undefined. */
  dimension: z.optional(count),
  /** Of a class's prior; the outcome where undefined. */
  class: z.optional(count),
})
export type VariationOrder = z.infer<typeof variationOrder>

export const variationSet = z.object({
  /** At the generator's size. */
  image: pictures, mask: map, salient: pictures,
  outcome: z.object({ class: count, probability: z.number() }),
  label: z.nullable(text()),
  /** The posterior's mean decoded, then the variations, which `variations` describes in this order. */
  pictures, variations: z.array(variation),
  acceptance: z.number(),
  /** Dimensions of the code, those that say most first. */
  informative: z.array(z.object({ dimension: count, kl: z.number() })),
})
export type WindowVariations = z.infer<typeof variationSet>

export const classView = z.object({
  class: count, count,
  meanMask: map, spreadMask: map, alignedMean: map, alignedSpread: map, meanSalient: pictures,
  prototypes: z.array(z.object({
    share: z.number(), acceptance: z.number(),
    /** The centre decoded, then accepted variations around it, described in this order. */
    pictures, variations: z.array(variation),
  })),
  silhouette: z.number(),
})
export type WindowClassView = z.infer<typeof classView>

const several = z.object({ reconstructions: z.array(reconstructionId).check(z.maxLength(1000)) })
const command = z.object({ command: text(20_000) })

export const reconstructions = {
  calls: {
    /**
     * What a generator for a model's pictures is made and trained with, as methods have their parameters; the method taken unless another is
     * chosen; and what methods are set to, over their defaults, for whole data sets, by what the pictures stand on.
     */
    'reconstructions.settings': call(z.object({ model: z.nullable(handle) }), z.object({
      size: z.object({ height: size, width: size, channels: size }),
      parameters: z.array(parameter), method: text(64), quick: z.object({ any: z.record(text(64), parameterValues), black: z.record(text(64), parameterValues) }),
    })),
    /** What a data set holds. @throws 'input' or 'usage' with the subject `data` */
    'reconstructions.data': call(z.object({ data: reconstructionData, model: z.nullable(handle) }), z.object({
      name: text(),
      /** What its pictures stand on, as the model sees them; `any` without a model. */
      ground: z.enum(['any', 'black']),
      /** null: as many as are asked for. */
      train: z.nullable(count), test: z.nullable(count),
      first: z.array(z.object({ png: bytes(1 << 20), label: z.nullable(text()) })),
    })),
    /** What a folder looks like, by the names of its files. */
    'reconstructions.kindOf': call(z.object({ place: handle }), z.object({ kind: z.enum(dataKinds) })),
    /** @throws naming the field: `data`, `images`, `model`, `judge`, `method`, or a parameter; nothing is written then */
    'reconstructions.start': call(reconstructionOrder, ofOne),
    'reconstructions.pause': call(ofOne, nothing),
    /** Also goes on with one that was cancelled, failed or interrupted, from where it had come. */
    'reconstructions.resume': call(ofOne, nothing),
    'reconstructions.cancel': call(ofOne, nothing),
    'reconstructions.read': call(ofOne, z.object({
      labels: z.array(text()), points: z.array(trainingPoint), samples: z.array(count),
      report: z.nullable(reconstructionReport),
      /** Images of the test part; 0 before there is a generator. */
      test: count, conditional: z.boolean(),
      provenance: z.array(z.object({ name: text(), value: text(20_000), group: text() })),
    })),
    'reconstructions.samples': call(z.object({ reconstruction: reconstructionId, epoch: count }), trainingSamples),
    /** Of the test part, to choose from. */
    'reconstructions.images': call(z.object({ reconstruction: reconstructionId, first: count, count: z.int().check(z.gte(1), z.lte(100)) }), z.array(z.object({
      image: count, label: z.nullable(text()), thumbnail: bytes(1 << 20),
    }))),
    /** Explains the images first where that has not been done; takes as long as the method then. */
    'reconstructions.vary': call(variationOrder, variationSet),
    'reconstructions.classView': call(z.object({ reconstruction: reconstructionId, class: count, temperature: z.number(), seed: count }), classView),
    /** Keeps variations in the study, for figures. */
    'reconstructions.keep': call(variationOrder, z.object({ name: text(128) })),
    'reconstructions.delete': call(several, nothing),
    'reconstructions.restore': call(several, nothing),
    'reconstructions.command': call(ofOne, command),
    'reconstructions.commandFor': call(reconstructionOrder, command),
    /** The line that samples variations of an image. */
    'reconstructions.varyCommand': call(variationOrder, command),
    /** The generator's folder as a zip file. */
    'reconstructions.export': call(ofOne, z.object({ name: text(), bytes: bytes() })),
    /** Asks where and writes it; null where the dialog was closed. @throws 'unavailable' in the web shell */
    'reconstructions.saveExport': call(ofOne, z.object({ file: z.nullable(text()) })),
  },
  streams: {
    'reconstructions.watch': stream(nothing, reconstructionEvent),
  },
}
