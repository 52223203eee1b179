import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Explained } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorChoice } from '#shared/domain/executor.ts'
import type { ImageBatch, MapData, View } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource, Preprocessing } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type ParameterChange, type Progress } from '#shared/domain/run.ts'
import { placeMap } from '#shared/imaging/placement.ts'
import { lossTable, type LossRow } from '#storage/losses.ts'
import type { RunOrderManifest, RunRecord, RunRequestManifest } from '#storage/manifests.ts'
import type { DataItem } from './datasets.ts'
import type { ModelOptions } from './models.ts'
import type { RunOrder } from './runs.ts'
import type { RunResult } from './study-writer.ts'

/** The losses and frames of a run as they come in. */
export interface Course {
  add(progress: Progress): void
  /** A few numbers per iteration; never dropped. */
  rows(): readonly LossRow[]
  /** Those at the stored iterations so far, whatever else was shown on the way: at most 64. */
  frames(): readonly CourseFrame[]
  /** The same with the last of all, of a run that has ended: early stopping may have ended it between two stored ones. */
  finalFrames(): readonly CourseFrame[]
}

export interface CourseFrame {
  iteration: number
  map: MapData
}

export function watchCourse(): Course {
  const rows: LossRow[] = []
  const kept: CourseFrame[] = []
  let wanted: Set<number> | undefined
  let last: CourseFrame | undefined
  return {
    add({ iteration, iterations, losses, probability, frame }) {
      rows.push({ iteration, losses, probability })
      if (!frame) return
      wanted ??= new Set(storedIterations(iterations))
      last = { iteration, map: frame }
      if (wanted.has(iteration)) kept.push(last)
    },
    rows: () => rows,
    frames: () => kept,
    finalFrames: () => (last && !kept.includes(last) ? [...kept, last] : kept),
  }
}

export interface OrderFacts {
  order: { item: DataItem; method: string; seed: number; target: number | 'auto'; executor?: ExecutorChoice }
  parameters: ParameterValues
  changes: readonly ParameterChange[]
  info: ModelInfo
  image: ImageBatch
  view: View
  stored: { file: string; sha256: string }
}

/** What was asked for, as run.json says it. No path of this computer is in it. */
export function describeOrder({ order, parameters, changes, info, image, view, stored }: OrderFacts): RunOrderManifest {
  const { name, sha256, format, input, classes, head, preprocessing } = info
  const { data } = image
  return {
    model: { name, sha256, format, input, classes, head, preprocessing: plainPreprocessing(preprocessing) },
    image: {
      ...describeItem(order.item),
      sha256: stored.sha256,
      file: stored.file,
      seenSha256: createHash('sha256').update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).digest('hex'),
    },
    view, method: order.method, parameters, seed: order.seed, target: order.target, changes: [...changes], executor: info.executor.id,
  }
}

/** What is known of an order before its image is decoded and its model loaded. */
export function describeRequest(
  order: { model: { source: Pick<ModelSource, 'name' | 'sha256' | 'preprocessing'> } } & OrderFacts['order'], parameters: ParameterValues, changes: readonly ParameterChange[],
): RunRequestManifest {
  const { model: { source: { name, sha256, preprocessing } }, item, method, seed, target, executor } = order
  return {
    model: { name, sha256, preprocessing: plainPreprocessing(preprocessing) }, image: describeItem(item), method, parameters, seed, target, changes: [...changes],
    executor: executor?.id ?? 'auto',
  }
}

function plainPreprocessing(preprocessing: Preprocessing): RunRequestManifest['model']['preprocessing'] {
  const { range, mean, std } = preprocessing
  return { ...preprocessing, range: [...range], mean: [...mean], std: [...std] }
}

/** Where image and model lie, for the run's record. */
export function foundOf({ item, model: { place, stated } }: Pick<RunOrder, 'item' | 'model'>): RunRecord['found'] {
  const { card, fit, range, mean, std, labels, inputScale } = stated ?? {}
  return { image: item.member ?? item.reference, model: place, stated: { card, fit, range: range && [...range], mean: mean && [...mean], std: std && [...std], labels, inputScale } }
}

/** What was stated beside the model's path when a stored run was made. */
export function statedOf({ stated }: RunRecord['found']): ModelOptions {
  const { card, fit, range, mean, std, labels, inputScale } = stated ?? {}
  return {
    ...(card === undefined ? {} : { card }), ...(fit === undefined ? {} : { fit }),
    ...(range === undefined ? {} : { range }), ...(mean === undefined ? {} : { mean }), ...(std === undefined ? {} : { std }),
    ...(labels === undefined ? {} : { labels }), ...(inputScale === undefined ? {} : { inputScale }),
  }
}

function describeItem({ kind, reference }: Pick<DataItem, 'kind' | 'reference'>): RunRequestManifest['image'] {
  return { kind, reference: kind === 'scene' ? reference : path.basename(reference) }
}

/** What a person calls the image in a run's id: `zebra`, `scene-2000007`. */
export function shortName({ kind, reference }: Pick<DataItem, 'kind' | 'reference'>): string {
  return kind === 'scene' ? reference : path.basename(reference, path.extname(reference))
}

export interface ResultFacts {
  explained: Explained
  manifest: RunOrderManifest
  course: Course
  /** Maskscope's own. */
  version: string
  /** Of decoding the picture. */
  notes: readonly string[]
  label: { index: number; label: string | null } | undefined
  /** As the order had it; its reason says more than that it was asked for. */
  pinned: ExecutorChoice | undefined
}

/**
 * What is stored of a finished run.
 * @throws MaskscopeError 'run' where a map holds values that are no numbers: they would be drawn as if they were.
 */
export function makeResult({ explained, manifest, course, version, notes, label, pinned }: ResultFacts): RunResult {
  const { explanations, info, engine, seconds } = explained
  const explanation = explanations[0]!
  const { target, score, probability, iterations, evaluations, range, signed, own, ranking, saliency } = explanation
  for (const map of [saliency, own, ranking]) {
    if (map?.data.some((value) => !Number.isFinite(value))) {
      throw new MaskscopeError('run', 'The map holds values that are not numbers: the optimisation diverged. Change the parameters of the method.')
    }
  }
  const placed = placeMap(saliency, manifest.view)
  const known = label?.index === target ? label.label : undefined
  return {
    facts: {
      backend: engine.backend.id,
      // Multiply-adds are known exactly where the graph is ours; elsewhere the model's own file runs as it is.
      executor: info.multiplyAdds === null ? `${info.executor.id}-opaque` : info.executor.id,
      versions: { maskscope: version, tfjs: engine.versions.tfjs, onnxruntime: info.executor.version },
      target: { index: target, label: known ?? info.labels?.[target] ?? null },
      score,
      probability: { original: finite(probability.original), masked: finite(probability.masked) },
      iterations,
      evaluations,
      range: [finite(range[0]), finite(range[1])],
      signed,
      scale: placed.scale,
      notes: [...notes, ...explanation.notes],
      facts: (explanation.facts ?? []).map(({ label, value }) => ({ label, value: typeof value === 'number' && !Number.isFinite(value) ? String(value) : value })),
    },
    parts: explanation.parts ?? [],
    saliency: placed.map,
    own,
    ranking: ranking ?? null,
    frames: course.finalFrames(),
    losses: lossTable(course.rows()),
    seconds,
    device: engine.backend.device,
    executor: pinned?.id === info.executor.id ? { ...info.executor, reason: pinned.reason, measured: pinned.measured } : info.executor,
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
