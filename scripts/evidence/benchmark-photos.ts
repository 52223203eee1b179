import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findMethod } from '#engine/methods/registry.ts'
import { createWorkbench } from '#main/workbench.ts'
import type { Configurations } from '#services/benchmark/entries.ts'
import { prepareChunk } from '#services/benchmark/subjects.ts'
import { resolveData } from '#services/datasets.ts'
import { loadModel, type LoadedModel, type ModelOptions } from '#services/models.ts'
import { interval, metricsTable, ranked, table, text } from './benchmark-tables.ts'
import { methodsFor, type Sitting } from './benchmark-work.ts'
import type { Sizes } from './benchmark.ts'

interface Network {
  name: string
  file: string
  labels: string
  /** Of the same list, another network that judges. */
  judge: string
}

const networks: readonly Network[] = [
  { name: 'mobilenet-v2', file: 'mobilenet_v2_1.0_224/graph-uint8/model.json', labels: 'labels1001.txt', judge: 'mobilenet-v1-050' },
  { name: 'mobilenet-v1-050', file: 'mobilenet_v1_0.5_160/model.onnx', labels: 'labels1000.txt', judge: 'mobilenet-v2' },
  { name: 'mobilenet-v1-025', file: 'mobilenet_v1_0.25_128/model.onnx', labels: 'labels1000.txt', judge: 'mobilenet-v1-050' },
]

/** A photo counts for the grid pointing game where the network is this sure of its class. */
const sure = 0.9

/** (e): photos and pretrained networks, methods at their defaults: the configurations of (a) were chosen on scenes. */
export async function photosPart(sitting: Sitting, { photos, partitions, networks: wanted, methods }: Sizes): Promise<string> {
  const root = process.env['MASKSCOPE_DATA']
  if (root === undefined) return '## (e) Photos and pretrained networks\n\nNot run: MASKSCOPE_DATA does not name the folder of the real data sets.'
  const load = (name: string, options: ModelOptions = { fit: 'crop' }): Promise<LoadedModel> => {
    const { file, labels } = networks.find((network) => network.name === name)!
    const base = path.join(root, 'models', 'imagenet')
    return loadModel(path.join(base, file), { range: [-1, 1], labels: path.join(base, labels), ...options })
  }
  const pages = ['## (e) Photos and pretrained networks', '', `Methods at their defaults, in mosaics with the logit as the score where they have it. Photos that the network recognises with a probability of at least ${sure}; the judge is another of the networks.`]
  for (const { name, judge, most } of wantedNetworks(wanted, photos)) {
    const model = await load(name)
    const ids = (await methodsFor(model, methods)).filter((id) => id !== 'oracle')
    const list = await sureList(sitting, root, name, model, most)
    const found = await sitting.benchmark(`e-${name}-${most}`, {
      model, judge: await load(judge), data: `list:${list}`, methods: ids, metrics: ['deletion', 'insertion', 'keep-rate'], draws: 1,
    })
    // All of a mosaic is seen, each cell as large as the network's own input.
    const wide = await load(name, { fit: 'squash', inputScale: 2 })
    const grids = await sitting.benchmark(`e-grid-${name}-${most}-${partitions}`, {
      model: wide, data: `mosaic:2(list:${list})*${partitions}`, methods: ids, configurations: byLogit(ids), metrics: ['grid-pointing-game'], draws: 1,
    })
    pages.push(
      '', `### ${name}, judged by ${judge}`, '', `${found.summary.images} photos${found.summary.images < most ? ', all that it is so sure of' : ''}; ${grids.summary.images} cells of 2×2 mosaics in ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, each cell of the network's own input size, photos as clusters.`, '',
      metricsTable(found, ['insertion', 'deletion', 'keep-rate']), '',
      table(['method', 'grid pointing game'], ranked(grids, 'grid-pointing-game').map((id) => [id, interval(grids, id, 'grid-pointing-game')])),
    )
  }
  return pages.join('\n')
}

/** @param wanted NAME, or NAME:PHOTOS; null: all */
function wantedNetworks(wanted: readonly string[] | null, photos: number): (Network & { most: number })[] {
  if (!wanted) return networks.map((network) => ({ ...network, most: photos }))
  return wanted.map((text) => {
    const [name, own] = text.split(':')
    const network = networks.find((known) => known.name === name)
    const most = own === undefined ? photos : Number(own)
    if (!network || !(most > 0)) throw new Error(`--networks has "${text}"; write NAME or NAME:PHOTOS, with ${networks.map((known) => known.name).join(', ')}.`)
    return { ...network, most }
  })
}

/** In a mosaic a probability tells of the other cells, too: the logit for all methods that have it as a score. */
function byLogit(ids: readonly string[]): Configurations {
  const explained = ids.filter((id) => findMethod(id).parameters.some((parameter) => parameter.name === 'score' && parameter.type === 'choice' && parameter.options.some(({ value }) => value === 'logit')))
  return Object.fromEntries(explained.map((id) => [id, { score: 'logit' }]))
}

/** Writes the list of the photos that a network is sure of, once. @returns its path */
async function sureList(sitting: Sitting, root: string, name: string, { source }: LoadedModel, most: number): Promise<string> {
  const file = path.join(sitting.folder, `sure-${name}-${most}.csv`)
  if (existsSync(file)) return file
  const folder = path.join(root, 'imagenet-samples')
  const items = await resolveData(`list:${path.join(folder, 'labels.csv')}`)
  const workbench = createWorkbench({ jobs: 1 })
  try {
    const info = await workbench.pool.info(source)
    const { subjects } = await prepareChunk(workbench.pool, source, info, info.executor.id, items.map((item, index) => ({ index, item })))
    const chosen = new Set(subjects.filter(({ probability }) => (probability ?? 0) >= sure).slice(0, most).map(({ name: image }) => path.basename(image)))
    const [head, ...lines] = (await readFile(path.join(folder, 'labels.csv'), 'utf8')).trim().split('\n')
    const rows = lines.filter((line) => chosen.has(line.split(',')[0]!)).map((line) => `${folder}/${line}`)
    await writeFile(file, `${[head, ...rows].join('\n')}\n`)
    return file
  } finally {
    await workbench.dispose()
  }
}

/** (f): what every method costs at 224×224 with its defaults, on both executors. */
export async function costPart(sitting: Sitting, { methods }: Sizes): Promise<string> {
  const root = process.env['MASKSCOPE_DATA']
  if (root === undefined) return '## (f) Cost at 224×224\n\nNot run: MASKSCOPE_DATA does not name the folder of the real data sets.'
  const base = path.join(root, 'models', 'imagenet')
  const model = await loadModel(path.join(base, networks[0]!.file), { fit: 'crop', range: [-1, 1], labels: path.join(base, networks[0]!.labels) })
  const ids = (await methodsFor(model, methods)).filter((id) => id !== 'oracle')
  const data = `list:${await sureList(sitting, root, networks[0]!.name, model, 1)}`
  const asked = { model, data, methods: ids, metrics: ['cost'], draws: 1 }
  const [native, tfjs] = [await sitting.benchmark('f-onnxruntime', asked, 'onnxruntime'), await sitting.benchmark('f-tfjs', asked, 'tfjs')]
  if (native.summary.images === 0) throw new Error('The photo of (f) was left out, since the network does not recognise it.')
  return [
    '## (f) Cost at 224×224', '', 'MobileNet V2, one photo, defaults. Seconds on the machine that made this page, which did other work besides.', '',
    table(['method', 'forward', 'backward', 'seconds, TensorFlow.js', 'seconds, ONNX Runtime'], ids.map((id) => [
      id, text(tfjs.summary.cost[id]!.forward, 0), text(tfjs.summary.cost[id]!.backward, 0), text(tfjs.results.seconds.get(id), 1), text(native.results.seconds.get(id), 1),
    ])),
  ].join('\n')
}
