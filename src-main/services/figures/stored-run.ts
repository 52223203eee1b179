import sharp from 'sharp'
import { deletesMarked, findMethod } from '#engine/methods/registry.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Picture } from '#shared/domain/image.ts'
import type { Parameter, ParameterValue, ParameterValues } from '#shared/domain/parameters.ts'
import type { LossCurves, RunFigureData } from '#shared/figure/run-figure-data.ts'
import { numberText } from '#shared/figure/numbers.ts'
import type { LossTable } from '#storage/losses.ts'
import { decodeImage } from '../images.ts'
import type { StoredRun } from '../studies.ts'

/** Pictures are shown with at most this many pixels on the longer side. */
const mostPixels = 2048

/**
 * What the figure of a stored run shows. Nothing of it depends on when, where or how fast the run was made.
 * @throws MaskscopeError 'storage' where the study's files do not belong together, 'input' for a picture that cannot be read.
 */
export async function runFigureData(run: StoredRun): Promise<RunFigureData> {
  const { manifest } = run
  const { order } = manifest
  const [map, losses, picture] = await Promise.all([run.own(), run.losses(), shownPicture(run)])
  const [low, high] = manifest.range
  return {
    picture,
    view: order.view,
    map,
    signed: manifest.signed,
    range: [low ?? -Infinity, high ?? Infinity],
    losses: lossCurves(losses),
    image: order.image.reference,
    model: order.model.name,
    method: methodOf(order.method)?.title ?? order.method,
    target: manifest.target,
    probability: manifest.probability,
    deletes: deletesMarked(order.method, order.parameters),
    score: manifest.score,
    settings: settings(order.method, order.parameters),
    seed: order.seed,
    backend: manifest.backend,
    executor: manifest.executor,
    iterations: manifest.iterations,
  }
}

async function shownPicture(run: StoredRun): Promise<Picture> {
  const { order } = run.manifest
  const { picture } = await decodeImage(await run.input(), order.image.reference)
  const { width, height } = order.view.picture
  if (picture.width !== width || picture.height !== height) {
    throw new MaskscopeError('storage', `The stored picture of run ${run.id} has ${picture.width} × ${picture.height} pixels, the run says ${width} × ${height}; it does not belong to this run.`, { subject: run.id })
  }
  const scale = mostPixels / Math.max(width, height)
  if (scale >= 1) return picture
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
  const data = await sharp(picture.data, { raw: { width, height, channels: 3 } }).resize({ ...size, fit: 'fill', kernel: 'lanczos3' }).raw().toBuffer()
  return { ...size, data: new Uint8Array(data) }
}

function lossCurves({ columns, rows }: LossTable): LossCurves {
  const column = (index: number) => rows.map((row) => row[index] as number)
  const probability = column(columns.length - 1)
  return {
    iterations: column(0),
    terms: columns.slice(1, -1).map((name, i) => ({ name, values: column(i + 1) })),
    // A classifier whose outputs are no probabilities leaves the whole column empty.
    probability: probability.every(Number.isNaN) ? null : probability,
  }
}

/** The preset, what was changed in it, and always the fill; the number of iterations stands elsewhere. */
function settings(method: string, values: ParameterValues): string[] {
  const known = methodOf(method)
  if (!known) return Object.entries(values).map(([name, value]) => `${name} = ${String(value)}`)
  const preset = known.presets.find((p) => p.id === values['preset'])
  const texts = preset ? [`preset ${preset.title}`] : []
  for (const parameter of known.parameters) {
    const value = values[parameter.name]
    if (value === undefined || parameter.name === 'iterations') continue
    const usual = preset?.values[parameter.name] ?? parameter.default
    if (parameter.name === 'fill' || value !== usual) texts.push(settingText(parameter, value))
  }
  return texts
}

function settingText(parameter: Parameter, value: ParameterValue): string {
  if (parameter.type === 'boolean') return `${lowerFirst(parameter.label)} ${value === true ? 'on' : 'off'}`
  if (parameter.type === 'text') return `${lowerFirst(parameter.label)} ${String(value)}`
  if (parameter.type === 'choice') {
    const label = parameter.options.find((option) => option.value === value)?.label ?? String(value)
    return `${lowerFirst(parameter.label)}: ${lowerFirst(label)}`
  }
  return `${parameter.symbol ?? lowerFirst(parameter.label)} = ${typeof value === 'number' ? numberText(value, 6) : String(value)}`
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/** Undefined for a method that this version does not have: its runs can still be shown. */
function methodOf(id: string): ReturnType<typeof findMethod> | undefined {
  try {
    return findMethod(id)
  } catch {
    return undefined
  }
}
