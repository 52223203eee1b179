import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { metrics } from '#engine/metrics/registry.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { SceneKind } from '#engine/scenes/scenes.ts'
import { loadModel } from '#services/models.ts'
import { methodOfEntry, type Configurations } from '#services/benchmark/entries.ts'
import type { Tuned } from '#services/benchmark/tune.ts'
import { photosPart, costPart } from './benchmark-photos.ts'
import type { Section } from './sections.ts'
import { claims, detailsTable, easyMethods, interval, metricsTable, ranked, table, text, verdict } from './benchmark-tables.ts'
import { furtherClassifier, methodsFor, openSitting, workingFolder, type Sitting } from './benchmark-work.ts'

/** What stands above the first section is written by hand. */
export const page = 'docs/benchmark.md'

/** Of docs, and so of the repository: tuning takes hours, and what it chose is used by whoever runs the benchmark after it. */
const configurationsFile = 'docs/evidence/benchmark-configs.json'

const usage = {
  scenes: { type: 'string', default: '500' }, faith: { type: 'string' }, defaults: { type: 'string' },
  tuning: { type: 'string', default: '30' }, configs: { type: 'string', default: '20' }, finals: { type: 'string', default: '70' }, finalists: { type: 'string', default: '5' },
  dear: { type: 'string', default: '30' },
  further: { type: 'string', default: '200' }, 'training-share': { type: 'string', default: '1' },
  photos: { type: 'string', default: '55' }, partitions: { type: 'string', default: '5' }, networks: { type: 'string' },
  methods: { type: 'string' }, parts: { type: 'string', default: 'a,b,c,d,e,f' },
} as const

/** Sizes of a sitting. Everything is kept, and a larger one later goes on from it; only tuning begins anew. */
export interface Sizes {
  scenes: number
  /** Of (a), for metrics that ask the classifier: they take most of the time. As many as `scenes` unless it is said. */
  faith: number
  /** Of (a), for the configurations that nobody tuned. As many as `scenes` unless it is said. */
  defaults: number
  /** Tuning scenes for all configurations. */
  tuning: number
  configs: number
  /** Further ones for the finalists. */
  finals: number
  finalists: number
  dear: number
  further: number
  photos: number
  /** Of the photos into mosaics, in (e). */
  partitions: number
  /** Of (e): names, or NAME:PHOTOS where a network is to have its own number of them. null: all. */
  networks: string[] | null
  trainingShare: number
  /** null: all. */
  methods: string[] | null
  parts: string[]
}

/** Budgets of the methods that ask for outputs alone: the parameter that decides, and its values. */
const budgets: Readonly<Record<string, { parameter: string; values: readonly number[] }>> = {
  'rise': { parameter: 'masks', values: [125, 250, 500, 1000, 2000, 4000] },
  'lime': { parameter: 'samples', values: [125, 250, 500, 1000, 2000] },
  'kernel-shap': { parameter: 'samples', values: [125, 250, 500, 1000, 2000] },
  'occlusion': { parameter: 'stride', values: [28, 21, 14, 10.5, 7] },
  'sensitivity-mask': { parameter: 'queries', values: [1000, 2000, 4000, 8000] },
  'de-cam': { parameter: 'queries', values: [500, 1000, 2000, 4000] },
  // The fewest that its tuned islands can share.
  'random-search': { parameter: 'queries', values: [512, 1000, 2000, 4000] },
}

const tuningSeed = 1_000_000

/** Evaluation scenes, of which a sitting takes the first: it can take more later. */
const mostScenes = 500
const evaluation = (kind: SceneKind = 'scenes'): string => `${kind}:${mostScenes}@2000000`

/** The other access of a method that has two; the first row of it asks for outputs alone. */
const twofold: Configurations = { 'sensitivity-mask@gradient': { preset: 'maskscope-gradient' } }

/** The parts with tuned configurations. */
const onScenes: Readonly<Record<string, (sitting: Sitting, sizes: Sizes, ids: readonly string[], tuned: Configurations) => Promise<string>>> = {
  a: scenesPart, b: dearPart, c: shiftPart, d: budgetPart,
}

/** The sections of the page, (a) to (f), as far as they were asked for. It can be stopped and goes on. */
export async function* measureSections(args: readonly string[]): AsyncGenerator<Section> {
  const sizes = sizesOf(args)
  const folder = workingFolder()
  await mkdir(folder, { recursive: true })
  const sitting = openSitting(folder)
  try {
    const has = (part: string): boolean => sizes.parts.includes(part)
    if (Object.keys(onScenes).some(has)) {
      const demo = await loadModel('demo')
      const ids = await methodsFor(demo, sizes.methods)
      const tuned = await sitting.tune(demo, {
        first: `scenes:${sizes.tuning}@${tuningSeed}`, further: `scenes:${sizes.finals}@${tuningSeed + sizes.tuning}`, configurations: sizes.configs, finalists: sizes.finalists,
      }, ids, configurationsFile)
      yield { name: 'tuning', text: tuning(tuned, sizes) }
      for (const [part, make] of Object.entries(onScenes)) if (has(part)) yield { name: part, text: await make(sitting, sizes, ids, tuned.methods) }
    }
    if (has('e')) yield { name: 'e', text: await photosPart(sitting, sizes) }
    if (has('f')) yield { name: 'f', text: await costPart(sitting, sizes) }
  } finally {
    await sitting.end()
  }
}

function sizesOf(args: readonly string[]): Sizes {
  const { values } = parseArgs({ args: [...args], options: usage })
  const number = (name: keyof typeof usage): number => {
    const value = Number(values[name])
    if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} is "${values[name]}"; it must be a number above 0.`)
    return value
  }
  for (const name of ['scenes', 'faith', 'defaults', 'dear', 'further'] as const) {
    if (values[name] !== undefined && number(name) > mostScenes) throw new Error(`--${name} is "${values[name]}"; there are ${mostScenes} evaluation scenes.`)
  }
  const scenes = number('scenes')
  return {
    scenes, faith: values.faith === undefined ? scenes : number('faith'), defaults: values.defaults === undefined ? scenes : number('defaults'),
    tuning: number('tuning'), configs: number('configs'), finals: number('finals'), finalists: number('finalists'),
    dear: number('dear'), further: number('further'), trainingShare: number('training-share'),
    photos: number('photos'), partitions: number('partitions'), networks: values.networks?.split(',') ?? null,
    methods: values.methods?.split(',') ?? null, parts: values.parts.split(','),
  }
}

function tuning({ tuned, scores, methods }: Tuned, { tuning: first, finals, finalists }: Sizes): string {
  const rows = Object.entries(scores).map(([id, { default: before, best, tried }]) => {
    const defaults = Object.fromEntries(findMethod(id).parameters.map((parameter) => [parameter.name, parameter.default]))
    const preset = findMethod(id).presets[0]?.values ?? {}
    const changed = Object.entries(methods[id]!).filter(([name, value]) => name !== 'preset' && value !== (preset[name] ?? defaults[name]))
    return [id, text(before), text(best), String(tried), changed.map(([name, value]) => `${name} ${String(value)}`).join(', ') || 'its defaults']
  })
  return [
    '## Tuning', '', `${tuned.configurations} configurations of each method on ${first} tuning scenes, then its default and its ${finalists - 1} best others on ${finals} further ones; the best over both is`,
    `chosen. The classifier is right on ${tuned.images} of them, and these count. All values: [evidence/benchmark-configs.json](evidence/benchmark-configs.json), which`,
    '`maskscope benchmark --configs` takes.', '', table(['method', 'default', 'best', 'tried', 'chosen'], rows),
  ].join('\n')
}

const placeMetrics = ['average-precision', 'iou', 'pixel-auroc', 'iou-otsu', 'iou-best', 'pointing-game', 'energy-pointing-game', 'relevance-rank']
const faithMetrics = ['deletion', 'insertion', 'road', 'average-drop', 'increase-in-confidence', 'sufficiency', 'keep-rate', 'infidelity', 'sensitivity-n']
const formMetrics = ['sparseness', 'complexity']

async function scenesPart(sitting: Sitting, { scenes, faith, defaults }: Sizes, ids: readonly string[], configurations: Configurations): Promise<string> {
  const [model, judge] = [await loadModel('demo'), await loadModel('demo-judge')]
  const data = evaluation()
  const methods = [...ids, ...Object.keys(twofold).filter((name) => ids.includes(methodOfEntry(name)))]
  const settings = { ...configurations, ...twofold }
  const ofMaps = metrics.filter(({ cost, needs }) => cost === 'map' && !needs.includes('mosaic') && !needs.includes('others')).map(({ id }) => id)
  const tuned = await sitting.benchmark('a-tuned', { model, judge, data, limit: scenes, methods, configurations: settings, metrics: ofMaps })
  const agrees = methods.length > 1
  const faithful = await sitting.benchmark('a-faith', {
    model, judge, data, limit: faith, methods, configurations: settings, draws: 1,
    metrics: [...metrics.filter(({ cost }) => cost === 'queries').map(({ id }) => id), ...(agrees ? ['agreement'] : [])],
    // Agreement compares with the maps of all methods, also where one of them changes later.
    keepMaps: agrees,
  })
  const plain = await sitting.benchmark('a-default', { model, judge, data, limit: defaults, methods, configurations: twofold, metrics: ['average-precision', 'iou'], draws: 1 })
  const found = claims(tuned)
  const easy = easyMethods(tuned)
  const { summary } = tuned
  const rows = ranked(tuned, 'average-precision').map((name) => [
    name, interval(tuned, name, 'average-precision'), interval(tuned, name, 'iou'), text(summary.methods[name]!['average-precision']!.sd), text(summary.methods[name]!['average-precision']!.seedSd),
    interval(plain, name, 'average-precision'), interval(plain, name, 'iou'), text(summary.cost[name]!.forward, 0), text(summary.cost[name]!.backward, 0),
  ])
  return [
    '## (a) Scenes, tuned and by default',
    '',
    `${summary.images} scenes where the classifier is right; ${summary.excluded['wrong'] ?? 0} where it is not were left out. Methods that draw at random: three seeds when tuned, averaged within a scene,`,
    `and one by default${defaults === scenes ? '' : ` (${plain.summary.images} scenes)`}.`,
    easy.length === 0 ? 'No method has a median above .95, so the scenes are not too easy.' : `The scenes are too easy for ${easy.join(', ')}: medians above .95.`,
    '',
    table(['method', 'average precision, tuned', 'IoU, tuned', 'sd over scenes', 'sd over seeds', 'average precision, default', 'IoU, default', 'forward', 'backward'], rows),
    '',
    'The goal, that the three mask systems rank above every rival on both metrics with Holm p < .05 over all these comparisons:',
    '',
    verdict(found) || 'The mask systems were not run.',
    '',
    `All metrics of place, then of faithfulness (${faithful.summary.images} scenes, one seed), then of form${agrees ? ', and agreement with the others (the scenes of faithfulness)' : ''}; tuned configurations:`,
    '',
    metricsTable(tuned, placeMetrics),
    '',
    metricsTable(faithful, faithMetrics),
    '',
    'Of the keep rate: fills that masks are optimised against, the judge, which no method asked, what the outline of the mask alone gives away, and how much is kept:',
    '',
    detailsTable(faithful, 'keep-rate', ['seen', 'judge-unseen', 'mask-only', 'area']),
    '',
    metricsTable(tuned, formMetrics),
    '',
    agrees ? metricsTable(faithful, ['agreement']) : '',
  ].join('\n')
}

async function dearPart(sitting: Sitting, { dear }: Sizes, ids: readonly string[], configurations: Configurations): Promise<string> {
  const wanted = metrics.filter(({ cost }) => cost === 'dear').map(({ id }) => id)
  const asked = { model: await loadModel('demo'), data: evaluation(), limit: dear, methods: ids, configurations, draws: 1 }
  const found = await sitting.benchmark('b', { ...asked, metrics: wanted })
  const control = 'keep-rate@wrong-class'
  const wrong = await sitting.benchmark('b-wrong-class', { ...asked, judge: await loadModel('demo-judge'), metrics: [control] })
  return [
    '## (b) Dear metrics', '', `${found.summary.images} scenes, one seed.`, '', metricsTable(found, wanted), '',
    'How often the class is kept under fills that no mask is optimised against, by masks for the own class and for a wrong one drawn at random; the judge is asked by no method. What a',
    'method keeps of a wrong class is its optimisation, not the image:', '',
    detailsTable(wrong, control, ['wrong-unseen', 'judge-unseen', 'judge-wrong-unseen']),
  ].join('\n')
}

async function shiftPart(sitting: Sitting, { further, trainingShare }: Sizes, ids: readonly string[], configurations: Configurations): Promise<string> {
  const demo = await loadModel('demo')
  const asked = { limit: further, methods: ids, configurations, metrics: ['average-precision', 'iou'], draws: 1 }
  const columns = [
    { name: 'scenes-shifted', found: await sitting.benchmark('c-shifted', { model: demo, data: evaluation('scenes-shifted'), ...asked }) },
    { name: 'scenes-two, each object', found: await sitting.benchmark('c-two', { model: demo, data: evaluation('scenes-two'), ...asked }) },
  ]
  for (const name of ['another-architecture', 'another-seed']) {
    const model = await furtherClassifier(sitting.folder, name, trainingShare)
    columns.push({ name, found: await sitting.benchmark(`c-${name}-${trainingShare}`, { model, data: evaluation(), ...asked }) })
  }
  const order = ranked(columns[0]!.found, 'average-precision')
  return [
    '## (c) Frozen configurations elsewhere',
    '',
    'The configurations tuned on scenes and the bundled classifier, on shifted scenes, on scenes with two objects where each is the target in turn, and on two classifiers that',
    `were trained by the same script${trainingShare === 1 ? '' : ` (for ${trainingShare} of the full training)`} and are not bundled. One seed. ${columns.map(({ name, found }) => `${name}: ${found.summary.images} evaluated`).join('; ')}.`,
    '',
    ...['average-precision', 'iou'].flatMap((metric) => [
      table([`method, ${metric}`, ...columns.map(({ name }) => name)], order.map((method) => [method, ...columns.map(({ found }) => interval(found, method, metric))])), '',
    ]),
    'Mask systems against every rival, as in (a):',
    '',
    ...columns.map(({ name, found }) => `${name}:\n\n${verdict(claims(found))}\n`),
  ].join('\n').trim()
}

/** Of DE-CAM's parameters those that random search has, so that it draws the same individuals and judges them alike; how many count is its own. */
function individualsOf(ofDeCam: Record<string, unknown>): Record<string, unknown> {
  const { parameters } = findMethod('random-search')
  return Object.fromEntries(Object.entries(ofDeCam).filter(([name]) => name !== 'elite' && parameters.some((parameter) => parameter.name === name)))
}

async function budgetPart(sitting: Sitting, { further }: Sizes, ids: readonly string[], configurations: Configurations): Promise<string> {
  const variants: Record<string, Record<string, unknown>> = {}
  for (const [id, { parameter, values }] of Object.entries(budgets)) {
    if (ids.includes(id)) for (const value of values) variants[`${id}@${value}`] = { ...configurations[id], [parameter]: value }
  }
  if (ids.includes('score-cam')) variants['score-cam@all'] = { ...configurations['score-cam'] }
  if (ids.includes('random-search') && ids.includes('de-cam')) variants['random-search@de-cam'] = individualsOf(configurations['de-cam'] ?? {})
  const name = 'd'
  const found = await sitting.benchmark(name, {
    model: await loadModel('demo'), data: evaluation(), limit: further, methods: Object.keys(variants), configurations: variants, metrics: ['average-precision', 'iou'], draws: 1,
  })
  const { summary } = found
  const rows = Object.keys(variants).map((variant) => [variant, text(summary.cost[variant]!.forward, 0), interval(found, variant, 'average-precision'), interval(found, variant, 'iou')])
  const { readFile } = await import('node:fs/promises')
  await mkdir('docs/images', { recursive: true })
  await writeFile('docs/images/quality-against-queries.svg', await readFile(path.join(sitting.folder, name, 'quality-average-precision.svg')))
  return [
    '## (d) Quality against queries', '', `${summary.images} scenes, one seed; methods that ask for outputs alone, at several budgets. \`random-search@de-cam\` has DE-CAM's configuration instead of its own: what is left of the difference is evolution.`, '',
    '![Average precision against forward evaluations](images/quality-against-queries.svg)', '',
    table(['method@budget', 'forward evaluations', 'average precision', 'IoU'], rows),
  ].join('\n')
}
