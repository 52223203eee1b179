import sharp from 'sharp'
import { rise } from '#engine/methods/rise.ts'
import { metricsAndVariants } from '#engine/metrics/registry.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Picture } from '#shared/domain/image.ts'
import { masksBy } from '#shared/domain/mask-steps.ts'
import type { FigureFacts, FigureRun, Measured, ReconstructionSheet } from '#shared/figure/figure-data.ts'
import { runsOfSpec, type FigureSpec } from '#shared/figure/spec.ts'
import { cropBox } from '#shared/imaging/overlay.ts'
import type { RunManifest } from '#storage/manifests.ts'
import { readVariationSet } from '#storage/variation-sets.ts'
import type { StoredMeasurement } from '#storage/run-metrics.ts'
import { runInputs, runItem } from '../run-inputs.ts'
import { shortName } from '../run-result.ts'
import type { Study, StoredRun } from '../studies.ts'
import { runFigureData } from './stored-run.ts'

/** Pictures are shown with so many pixels on the longer side at most: large grids print each of them small. */
const pictureLimits = [{ upTo: 24, pixels: 2048 }, { upTo: 100, pixels: 1024 }, { upTo: Infinity, pixels: 512 }] as const

export interface LoadedFigure {
  facts: FigureFacts
  /** In the order in which the spec names them. */
  runs: StoredRun[]
}

/**
 * Everything that a spec's panels show, from the study.
 * @throws MaskscopeError 'usage' for a run that is gone, 'storage' for one that has no result, each naming the run
 */
export async function loadFigure(spec: FigureSpec, study: Study): Promise<LoadedFigure> {
  const ids = runsOfSpec(spec)
  const moving = new Set(spec.panels.flatMap((panel) => (panel.kind === 'evolution' ? [panel.run] : [])))
  const filled = new Set(spec.panels.flatMap((panel) => ('removed' in panel && panel.show === 'masked' && panel.removed === 'fill' ? runsOfSpec({ panels: [panel] }) : [])))
  const pixels = pictureLimits.find(({ upTo }) => ids.length <= upTo)!.pixels
  const stored: StoredRun[] = []
  const runs = new Map<string, FigureRun>()
  // One after the other: many pictures at once would take a lot of memory.
  for (const id of ids) {
    const run = await study.readRun(id)
    stored.push(run)
    runs.set(id, await figureRun(run, { frames: moving.has(id), fill: filled.has(id), pixels }))
  }
  const reconstructions = new Map<string, ReconstructionSheet>()
  for (const panel of spec.panels) {
    if (panel.kind === 'reconstruction') reconstructions.set(`${panel.reconstruction}/${panel.image}`, await reconstructionSheet(study.folder, panel.reconstruction, panel.image))
  }
  const methods = [...new Set((await study.runs()).map(({ method }) => method))]
  const metrics = new Map(metricsAndVariants.map(({ id, title, better }) => [id, { title, better }]))
  return { facts: { study: study.name, runs, reconstructions, metrics, methods }, runs: stored }
}

async function figureRun(run: StoredRun, { frames, fill, pixels }: { frames: boolean; fill: boolean; pixels: number }): Promise<FigureRun> {
  const { manifest, record } = run
  const data = await runFigureData(run)
  const [measured, course] = await Promise.all([run.metrics(), frames ? run.frames() : []])
  const { evaluations, order } = manifest
  const picture = await shrunk(seenPart(data.picture, data.view), pixels)
  return {
    id: run.id,
    image: { name: shortName({ kind: order.image.kind, reference: order.image.reference }), key: `${order.image.sha256} ${JSON.stringify(order.view.crop)}` },
    picture, fill: fill ? await fillOf(run, picture) : null,
    map: data.map, signed: data.signed, range: data.range,
    method: { id: order.method, title: data.method }, settings: data.settings, seed: order.seed,
    model: { name: order.model.name, key: order.model.sha256 },
    target: data.target, probability: data.probability, deletes: data.deletes, score: data.score, losses: data.losses, masks: maskCounts(data.losses.iterations, manifest), frames: course,
    metrics: measured.filter(({ error }) => error === null).map(measuredFacts),
    evaluations: evaluations.forward + evaluations.backward, seconds: record.seconds,
  }
}

/** What the run put where its mask hides, as large as the picture; null where its method puts nothing. */
async function fillOf(run: StoredRun, { width, height }: Picture): Promise<FigureRun['fill']> {
  const { order } = run.manifest
  const { fill, fillName } = await runInputs(order, await runItem(order.image, order.image.reference, () => run.input()).load())
  return fill && { name: fillName, picture: await resized(fill, { width, height }) }
}

/** RISE's own steps are so many masks each. */
function maskCounts(iterations: readonly number[], { order }: RunManifest): number[] | null {
  const { masks } = order.parameters
  return order.method === rise.id && typeof masks === 'number' ? masksBy(iterations, masks, order.view.size) : null
}

/** Curves with a gap are left out: a line cannot be drawn over it. */
function measuredFacts({ metric, value, curves }: StoredMeasurement): Measured {
  const whole = (values: readonly (number | null)[]): values is readonly number[] => values.every((one) => one !== null)
  return { metric, value, curves: curves.flatMap(({ name, x, y }) => (whole(x) && whole(y) ? [{ name, x, y }] : [])) }
}

/** What the classifier sees of a picture. */
function seenPart(picture: Picture, view: Parameters<typeof cropBox>[0]): Picture {
  const box = cropBox(view, picture)
  const left = Math.round(box.left)
  const top = Math.round(box.top)
  const width = Math.max(1, Math.min(picture.width - left, Math.round(box.width)))
  const height = Math.max(1, Math.min(picture.height - top, Math.round(box.height)))
  if (width === picture.width && height === picture.height) return picture
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * 3
    data.set(picture.data.subarray(from, from + width * 3), y * width * 3)
  }
  return { width, height, data }
}

async function shrunk(picture: Picture, pixels: number): Promise<Picture> {
  const scale = pixels / Math.max(picture.width, picture.height)
  if (scale >= 1) return picture
  const size = { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) }
  return resized(picture, size)
}

async function resized(picture: Picture, size: { width: number; height: number }): Promise<Picture> {
  if (picture.width === size.width && picture.height === size.height) return picture
  const data = await sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } }).resize({ ...size, fit: 'fill', kernel: 'lanczos3' }).raw().toBuffer()
  return { ...size, data: new Uint8Array(data) }
}

async function reconstructionSheet(study: string, reconstruction: string, name: string): Promise<ReconstructionSheet> {
  const { manifest, pictures: { height, width, channels, data } } = await readVariationSet(study, reconstruction, name)
  const length = height * width * channels
  const picture = (index: number): Picture => {
    const own = data.subarray(index * length, (index + 1) * length)
    const rgb = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
      const value = own[Math.floor(i / 3) * channels + (channels === 1 ? 0 : i % 3)]!
      return Math.round(Math.min(1, Math.max(0, value)) * 255)
    })
    return { width, height, data: rgb }
  }
  return {
    image: manifest.image, input: picture(0), salient: picture(1),
    variations: manifest.variations.map(({ probability, accepted }, i) => ({ picture: picture(2 + i), probability, accepted })),
    outcome: manifest.outcome.label ?? `class ${manifest.outcome.class}`, probability: manifest.outcome.probability,
  }
}

/** The runs that a figure names but the study cannot show, with the reason; for a composer that goes on without them. */
export async function missingRuns(spec: FigureSpec, study: Study): Promise<{ run: string; message: string }[]> {
  const missing: { run: string; message: string }[] = []
  for (const run of runsOfSpec(spec)) {
    try {
      await study.readRun(run)
    } catch (error) {
      if (!(error instanceof MaskscopeError)) throw error
      missing.push({ run, message: error.message })
    }
  }
  return missing
}
