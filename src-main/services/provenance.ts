import { findMethod } from '#engine/methods/registry.ts'
import type { Method } from '#engine/methods/method.ts'
import type { RunDetail } from '#shared/contract/runs.ts'
import { executorNames } from '#shared/domain/executor.ts'
import { numberText } from '#shared/figure/numbers.ts'
import type { RunManifest, RunOrderManifest, RunRecord } from '#storage/manifests.ts'

export interface ProvenanceFacts {
  order: RunOrderManifest
  /** Of a finished run. */
  manifest: RunManifest | null
  /** Of one that was begun and is on the disk. */
  record: RunRecord | null
  changes: readonly { iteration: number; parameters: Record<string, number | string | boolean> }[]
}

type Entry = RunDetail['provenance'][number]

/** Everything that made a run what it is, in the words of the window. */
export function provenanceOf({ order, manifest, record, changes }: ProvenanceFacts): Entry[] {
  const method = methodOf(order.method)
  return [
    ...group('Model', modelFacts(order)),
    ...group('Image', imageFacts(order)),
    ...group('Method', [
      ['Method', method?.title ?? order.method],
      ['Source', method?.citation],
      ['Seed', String(order.seed)],
      ['Target asked for', order.target === 'auto' ? 'auto, the top class of the whole image' : `class ${order.target}`],
      ['Score', manifest?.score],
      ['Fill', fillOf(method, order)],
    ]),
    ...group('Parameters', Object.entries(order.parameters).map(([name, value]) => [parameterName(method, name), valueText(value)])),
    ...group('Changes', changes.map(({ iteration, parameters }) => [
      `After iteration ${iteration}`, Object.entries(parameters).map(([name, value]) => `${parameterName(method, name)} = ${valueText(value)}`).join(', '),
    ])),
    ...group('Computed by', [
      ['Executor', manifest ? executorText(manifest) : undefined],
      ['Why this executor', record?.executor?.reason],
      ['Backend', manifest?.backend],
      ['Device', record?.machine.device ?? undefined],
      ['Maskscope', manifest?.versions.maskscope],
      ['TensorFlow.js', manifest?.versions.tfjs],
      ['Node', record?.machine.node],
      ['Machine', record ? `${record.machine.processor}, ${record.machine.cores} cores, ${numberText(record.machine.memoryBytes / 2 ** 30, 3)} GiB, ${record.machine.platform}` : undefined],
      ['Created', record?.created],
      ['Ended', record?.ended ?? undefined],
    ]),
  ]
}

/** E.g. "ONNX Runtime 1.30.0 (onnxruntime)". */
function executorText({ executor, order, versions }: RunManifest): string {
  const version = versions.onnxruntime === null ? '' : ` ${versions.onnxruntime}`
  return `${executorNames[order.executor]}${version} (${executor})`
}

function group(name: string, facts: readonly (readonly [string, string | undefined])[] | string[][]): Entry[] {
  return facts.flatMap(([label, value]) => (label === undefined || value === undefined ? [] : [{ name: label, value, group: name }]))
}

function modelFacts({ model }: RunOrderManifest): [string, string | undefined][] {
  const { input, preprocessing: { fit, cropFraction, resizeFilter, range, mean, std, channelOrder } } = model
  return [
    ['Name', model.name],
    ['SHA-256', model.sha256],
    ['Format', model.format],
    ['Input', `${input.width} × ${input.height} × ${input.channels}`],
    ['Classes', `${model.classes}, ${model.head === 'none' ? 'no probabilities' : model.head}`],
    ['Fit', fit === 'crop' ? `central ${numberText(cropFraction * 100, 4)}% of the shorter side` : 'whole image'],
    ['Resize filter', resizeFilter],
    ['Range', `${range[0]} to ${range[1]}`],
    ['Mean', mean.every((value) => value === 0) ? undefined : mean.join(', ')],
    ['Standard deviation', std.every((value) => value === 1) ? undefined : std.join(', ')],
    ['Channel order', channelOrder.toUpperCase()],
  ]
}

function imageFacts({ image, view: { picture, crop, size } }: RunOrderManifest): [string, string][] {
  return [
    ['Name', image.reference],
    ['SHA-256', image.sha256],
    ['Size', `${picture.width} × ${picture.height}`],
    ['Seen part', `${crop.width} × ${crop.height} from (${crop.left}, ${crop.top}), as ${size.width} × ${size.height}`],
  ]
}

function fillOf(method: Method | undefined, { parameters }: RunOrderManifest): string | undefined {
  // Extremal perturbation calls it so, as its authors do.
  const parameter = method?.parameters.find(({ name }) => name === 'fill' || name === 'perturbation')
  const value = parameter && parameters[parameter.name]
  if (parameter?.type !== 'choice' || value === undefined) return undefined
  return parameter.options.find((option) => option.value === value)?.label ?? String(value)
}

function parameterName(method: Method | undefined, name: string): string {
  const parameter = method?.parameters.find((candidate) => candidate.name === name)
  if (!parameter) return name === 'preset' ? 'Preset' : name
  return parameter.symbol === undefined ? parameter.label : `${parameter.label} (${parameter.symbol})`
}

function valueText(value: number | string | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return String(value)
}

/** Undefined for a method that this version does not have: its runs can still be shown. */
export function methodOf(id: string): Method | undefined {
  try {
    return findMethod(id)
  } catch {
    return undefined
  }
}
