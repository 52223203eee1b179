import { MaskscopeError } from '#shared/domain/errors.ts'
import type { RunRecord } from '#storage/manifests.ts'
import { fileItem, resolveScenes, type DataItem } from './datasets.ts'
import { createLru } from './lru.ts'
import { runItem, type RunInputs } from './run-inputs.ts'
import { readInput } from './studies.ts'
import type { OpenedStudy } from './study-keeper.ts'
import { pngWithin, shownSide } from './thumbnails.ts'

/** Where a run's picture comes from, whether it waits, runs or is long over. */
export interface RunSource {
  /** PNG of at most 2,048 px. */
  picture(opened: OpenedStudy, run: string): Promise<Uint8Array<ArrayBuffer>>
  /** @throws MaskscopeError 'usage' of a run that still waits */
  inputs(opened: OpenedStudy, run: string): Promise<RunInputs>
}

export function createRunSource(record: (opened: OpenedStudy, run: string) => Promise<RunRecord>): RunSource {
  const pictures = createLru<Uint8Array<ArrayBuffer>>({ count: 50, bytes: 128 << 20 }, (png) => png.byteLength)

  async function itemOf(opened: OpenedStudy, run: string): Promise<DataItem> {
    const live = opened.runs.find(run)
    if (live) return live.order.item
    const { order, found, request } = await record(opened, run)
    // One that never began has no picture in the study.
    if (!order) return request.image.kind === 'scene' ? resolveScenes(request.image.reference)[0]! : fileItem(found.image)
    return runItem(order.image, order.image.reference, () => readInput(opened.study.folder, order.image))
  }

  return {
    picture: (opened, run) => pictures.get(`${opened.study.folder}\n${run}`, async () => {
      const { picture } = await (await itemOf(opened, run)).load()
      return pngWithin(picture, shownSide)
    }),
    async inputs(opened, run) {
      const live = opened.runs.find(run)
      const order = live ? live.manifest : (await record(opened, run)).order
      if (!order) throw new MaskscopeError('usage', `This run ${live ? 'has not begun yet' : 'never began'}, so nothing is known of what the classifier sees.`, { subject: 'run' })
      const item = await (await itemOf(opened, run)).load()
      const { runInputs } = await import('./run-inputs.ts')
      return runInputs(order, item)
    },
  }
}
