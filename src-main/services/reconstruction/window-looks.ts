import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import type { VariationOrder, WindowClassView, WindowVariations } from '#shared/contract/reconstruction.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { GeneratorFiles, SalientSet, VariationRequest, VariationSet } from '#shared/domain/reconstruction.ts'
import { readGenerator } from '#storage/generator-files.ts'
import { listVariationSets, writeVariationSet } from '#storage/variation-sets.ts'
import { createFiles } from '#storage/files.ts'
import { itemName, labelText } from '../open-data.ts'
import type { DataItem } from '../datasets.ts'
import { createLru } from '../lru.ts'
import { pngWithin } from '../thumbnails.ts'
import { explainChunk } from './salient-chunk.ts'
import { floatsOf, stackOf, picturesOf, variationOf } from './window-pictures.ts'
import type { StoredReconstruction } from './reconstructions.ts'
import { modelAgain } from './resume.ts'

/** What is asked of a trained generator: images, variations, classes. */
export interface Looks {
  images(of: Subject, first: number, count: number): Promise<{ image: number; label: string | null; thumbnail: Uint8Array<ArrayBuffer> }[]>
  /** @throws MaskscopeError naming what is missing */
  vary(of: Subject, order: VariationOrder, signal: AbortSignal): Promise<WindowVariations>
  classView(of: Subject, asked: { class: number; temperature: number; seed: number }, signal: AbortSignal): Promise<WindowClassView>
  /** Keeps variations in the study. @returns their name */
  keep(of: Subject, order: VariationOrder, signal: AbortSignal): Promise<string>
}

/** A reconstruction and where it lies. */
export interface Subject {
  stored: StoredReconstruction
  /** Absolute. */
  folder: string
}

export interface LooksOptions {
  pool: Pool
  /** The images that it was tested on. */
  testItems(of: Subject): Promise<DataItem[]>
  /** What it learned from. */
  seenSet(of: Subject): Promise<SalientSet>
}

interface Explained {
  item: DataItem
  image: Uint8Array
  mask: Float32Array
}

/** Small images and their masks: some hundred kilobytes each at most. */
const keepExplained = { count: 200, bytes: 128 << 20 }
const prototypeVariations = 8

export function createLooks({ pool, testItems, seenSet }: LooksOptions): Looks {
  const explained = createLru<Explained>(keepExplained, ({ image, mask }) => image.byteLength + mask.byteLength)
  let latest: { id: string; made: string; answer: Promise<{ source: ModelSource; info: ModelInfo; generator: GeneratorFiles }> } | null = null

  /** The generator and the classifier that it explains; those looked at last stay at hand. */
  function toolsOf({ stored, folder }: Subject): Promise<{ source: ModelSource; info: ModelInfo; generator: GeneratorFiles }> {
    const made = `${folder} ${stored.record.ended ?? stored.epochs}`
    if (latest?.id !== stored.id || latest.made !== made) {
      const mine = latest = { id: stored.id, made, answer: openTools(pool, stored, folder) }
      mine.answer.catch(() => (latest === mine ? (latest = null) : undefined))
    }
    return latest.answer
  }

  async function explain(of: Subject, image: number, signal: AbortSignal): Promise<Explained> {
    const { stored: { id, manifest } } = of
    const items = await testItems(of)
    const item = items[image]
    if (!item) throw new MaskscopeError('usage', `There is no image ${image}, counted from 0: ${items.length} were kept for the test.`, { subject: 'image' })
    return explained.get(`${of.folder} ${id} ${image}`, async () => {
      const { source, info } = await toolsOf(of)
      const { method, parameters, seed } = manifest
      // Alone, as `maskscope vary` explains it: the command that is copied makes the same pictures.
      const { rows: [row], images, masks } = await explainChunk(pool, { model: source, info, method, parameters, seed }, [{ index: 0, item, label: null }], signal)
      if (row!.failure !== null) throw new MaskscopeError('run', `Image ${image} has no salient input: ${row!.failure}`, { subject: 'image' })
      return { item, image: images, mask: masks }
    })
  }

  async function draw(of: Subject, order: VariationOrder, signal: AbortSignal): Promise<{ set: VariationSet; item: DataItem; request: VariationRequest; info: ModelInfo }> {
    const { source, generator, info } = await toolsOf(of)
    const subject = await explain(of, order.image, signal)
    const other = order.kind === 'interpolation' ? await explain(of, order.other ?? order.image + 1, signal) : null
    const request = requestOf(order)
    const { result: { variations: set } } = await pool.generate(source, {
      kind: 'vary', generator, image: subject.image, mask: subject.mask, ...(other ? { other: { image: other.image, mask: other.mask } } : {}), request,
    }, { signal })
    return { set, item: subject.item, request, info }
  }

  return {
    async images(of, first, count) {
      const items = (await testItems(of)).slice(first, first + count)
      return Promise.all(items.map(async (item, i) => {
        const { picture, label } = await item.load()
        return { image: first + i, label: labelText(label), thumbnail: await pngWithin(picture, 64) }
      }))
    },
    async vary(of, order, signal) {
      const { set, item } = await draw(of, order, signal)
      const all = [set.reconstruction, ...set.variations]
      const informative = Array.from(set.informative, (kl, dimension) => ({ dimension, kl })).sort((a, b) => b.kl - a.kl)
      return {
        image: picturesOf(set.size, set.image), salient: picturesOf(set.size, set.salient), mask: { height: set.size.height, width: set.size.width, data: floatsOf(set.mask) },
        outcome: { ...set.outcome }, label: labelText(await item.label?.()), pictures: stackOf(set.size, all.map(({ image }) => image)), variations: all.map(variationOf),
        acceptance: set.acceptance, informative,
      }
    },
    async classView(of, { class: wanted, temperature, seed }, signal) {
      const { source, generator } = await toolsOf(of)
      const set = ofClass(await seenSet(of), wanted)
      if (set.count < 2) throw new MaskscopeError('usage', `Only ${set.count} of the images that it learned from have this outcome; there is nothing to compare.`, { subject: 'class' })
      const { result: { view } } = await pool.generate(source, {
        kind: 'class-view', generator, set, request: { class: wanted, variations: prototypeVariations, temperature, seed },
      }, { signal })
      const map = (data: Float32Array) => ({ height: view.size.height, width: view.size.width, data: floatsOf(data) })
      return {
        class: view.class, count: view.count, silhouette: view.silhouette, meanMask: map(view.meanMask), spreadMask: map(view.spreadMask),
        alignedMean: map(view.alignedMean), alignedSpread: map(view.alignedSpread), meanSalient: picturesOf(view.size, view.meanSalient),
        prototypes: view.prototypes.map(({ share, acceptance, image, variations }) => ({
          share, acceptance, pictures: stackOf(view.size, [image, ...variations].map((one) => one.image)), variations: [image, ...variations].map(variationOf),
        })),
      }
    },
    async keep(of, order, signal) {
      const { set, item, request, info } = await draw(of, order, signal)
      const [study, { id }] = [path.dirname(path.dirname(of.folder)), of.stored]
      const taken = await listVariationSets(study, id)
      const stem = `image-${order.image}`
      const name = [stem, ...taken.map((_, i) => `${stem}-${i + 2}`)].find((one) => !taken.includes(one))!
      await writeVariationSet(createFiles(), { study, reconstruction: id, name }, set, {
        image: itemName(item), label: info.labels?.[set.outcome.class] ?? null, temperature: request.temperature, seed: request.seed,
      })
      return name
    },
  }
}

async function openTools(pool: Pool, { manifest: { model, executor } }: StoredReconstruction, folder: string): Promise<{ source: ModelSource; info: ModelInfo; generator: GeneratorFiles }> {
  const { model: { source } } = await modelAgain(model, 'model')
  return { source, info: await pool.info(source, { executor }), generator: await readGenerator(folder) }
}

export function requestOf({ kind, temperature, count, seed, margin, pinned, dimension, class: wanted }: VariationOrder): VariationRequest {
  return {
    kind, temperature, count, seed, pinned, ...(margin === null ? {} : { margin }), ...(dimension === undefined ? {} : { dimension }), ...(wanted === undefined ? {} : { class: wanted }),
  }
}

/** Those whose outcome is the class: nothing else needs to reach the worker. */
function ofClass(set: SalientSet, wanted: number): SalientSet {
  const indices = [...set.outcomes.keys()].filter((i) => set.outcomes[i] === wanted)
  const [image, mask] = [set.height * set.width * set.channels, set.height * set.width]
  const pick = <Data extends Uint8Array | Float32Array>(data: Data, length: number): Data => {
    const out = data.slice(0, indices.length * length) as Data
    indices.forEach((from, i) => out.set(data.subarray(from * length, (from + 1) * length), i * length))
    return out
  }
  return {
    ...set, count: indices.length, images: pick(set.images, image), masks: pick(set.masks, mask), outcomes: Int32Array.from(indices, (i) => set.outcomes[i]!),
    labels: set.labels && Int32Array.from(indices, (i) => set.labels![i]!),
  }
}
