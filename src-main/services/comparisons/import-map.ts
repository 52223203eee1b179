import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData, View } from '#shared/domain/image.ts'
import { importedMethod } from '#shared/domain/method.ts'
import { placeMap } from '#shared/imaging/placement.ts'
import { resize } from '#shared/imaging/resize.ts'
import { lossTable } from '#storage/losses.ts'
import { readNpy } from '#storage/npy.ts'
import { classifyItem } from '../classify.ts'
import { prepareItem } from '../prepared-input.ts'
import { programVersion } from '../program.ts'
import { describeOrder, describeRequest, foundOf, shortName } from '../run-result.ts'
import type { ComparisonPlace } from './comparisons.ts'

export interface MapImport {
  place: ComparisonPlace
  image: string
  model: string
  target: number | 'auto'
  /** Absolute. */
  file: string
  pool: Pick<Pool, 'classify' | 'backend' | 'info'>
}

/**
 * A map from elsewhere as a finished run of the study, so that all that is known of runs holds for it too: it is drawn, measured and
 * printed as they are. It cannot be made again.
 * @returns the run's id
 * @throws MaskscopeError 'input' naming the file where it holds no map of the picture
 */
export async function importMap({ place: { opened: { study }, sources, file: comparison }, image, model, target: asked, file, pool }: MapImport): Promise<string> {
  const [{ source, info, place, options }, item] = await Promise.all([sources.model(comparison, model), sources.item(comparison, image)])
  const loaded = await item.load()
  const { image: seen, view } = await prepareItem(loaded, info)
  const own = await readMap(file, view)
  const { top } = await classifyItem(pool, { source, info }, loaded, info.classes)
  const target = asked === 'auto' ? top[0]! : top.find(({ index }) => index === asked)!
  const name = path.basename(file)
  const order = { model: { source, place, stated: options }, item, method: importedMethod, parameters: { file: name }, seed: 0, target: asked, executor: info.executor }
  const begun = performance.now()
  const id = study.reserveRun(shortName(item), importedMethod)
  await study.noteRun(id, describeRequest(order, order.parameters, []), foundOf(order))
  try {
    const stored = await study.storeInput(loaded.bytes, loaded.format)
    await study.beginRun(id, describeOrder({ order, parameters: order.parameters, changes: [], info, image: seen, view, stored }), foundOf(order))
    const placed = placeMap(own, view)
    const { id: backend, device } = await pool.backend()
    await study.finishRun(id, {
      facts: {
        backend, executor: info.executor.id, versions: { maskscope: programVersion(), tfjs: 'not used', onnxruntime: null },
        target: { index: target.index, label: target.label }, score: 'logit', probability: { original: target.probability, masked: null },
        iterations: 0, evaluations: { forward: 0, backward: 0 }, range: [null, null], signed: own.data.some((value) => value < 0), scale: placed.scale,
        notes: [`The map was imported from ${name}.`],
      },
      saliency: placed.map, own, ranking: null, frames: [], losses: lossTable([]), seconds: (performance.now() - begun) / 1000, device, executor: info.executor,
    })
  } catch (error) {
    await study.endRun(id, 'failed', error)
    throw error
  }
  return id
}

/** At the size of the classifier's input: as it is, or the part of the picture that the classifier sees, scaled down with antialiasing. */
async function readMap(file: string, { picture, crop, size }: View): Promise<MapData> {
  const { shape, data } = await readNpy(file).catch((cause: MaskscopeError) => {
    throw new MaskscopeError('input', cause.message, { subject: file, cause })
  })
  const [height, width] = shape.filter((n, i) => n !== 1 || i >= shape.length - 2)
  const wanted = `${picture.height} × ${picture.width} of the picture, or ${size.height} × ${size.width} of the classifier's input`
  if (shape.length < 2 || shape.length > 4 || height! * width! !== data.length) {
    throw bad(file, `holds an array of the shape ${shape.join(' × ')}; a map has rows and columns: ${wanted}`)
  }
  const values = Float32Array.from(data)
  if (!values.every(Number.isFinite)) throw bad(file, 'holds values that are no finite numbers')
  if (height === size.height && width === size.width) return { height, width, data: values }
  if (height !== picture.height || width !== picture.width) throw bad(file, `has ${height} × ${width} values; a map for this image has ${wanted}`)
  return { ...size, data: resize({ width, data: values, channels: 1 }, crop, size, 'bilinear') }
}

function bad(file: string, what: string): MaskscopeError {
  return new MaskscopeError('input', `The map ${path.basename(file)} ${what}.`, { subject: file })
}
