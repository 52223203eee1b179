import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { harshFills, unseenFills } from '#engine/metrics/unseen-fills.ts'
import type { FillKind } from '#engine/methods/masks/fills.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { loadModel } from '#services/models.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { explainAll, keepRates, localise, objectMasks, subjectsFrom, type KeepRates, type Subject } from './mask-measures.ts'

/** What one preset reaches on a number of evaluation scenes. */
interface Row {
  preset: string
  scenes: number
  precision: string
  energyRatio: number
  area: number
  own: KeepRates
  ownByJudge: KeepRates
  wrong: KeepRates
  wrongByJudge: KeepRates
}

const neuromask = findMethod('neuromask')
/** Scenes per preset: 2,000 steps of the published ones take nearly twenty times as long. */
const plan = [
  { preset: 'maskscope', scenes: 200 },
  { preset: 'cifar10-demo', scenes: 10 },
  { preset: 'imagenet-demo', scenes: 10 },
  { preset: 'class-defaults', scenes: 10 },
]
const firstSeed = 2_000_000

/** The table of docs/evidence/neuromask.md, as Markdown. */
export async function measure(): Promise<string> {
  await selectBackend('wasm')
  const demo = await loadClassifier((await loadModel('demo')).source)
  const judge = await loadClassifier((await loadModel('demo-judge')).source)
  const rows: Row[] = []
  for (const { preset, scenes } of plan) {
    const subjects = await subjectsFrom(demo, firstSeed, scenes)
    rows.push(await measurePreset(preset, subjects, demo, judge))
  }
  const subjects = await subjectsFrom(demo, firstSeed, plan[0]!.scenes)
  const objects = objectMasks(subjects, 2)
  const ceiling = { demo: await keepRates(demo, subjects, objects, 'drawn', 10), judge: await keepRates(judge, subjects, objects, 'drawn', 10) }
  return render(rows, ceiling, subjects.at(-1)!.seed)
}

async function measurePreset(preset: string, subjects: readonly Subject[], demo: Classifier, judge: Classifier): Promise<Row> {
  const parameters = resolveParameters(neuromask, { preset })
  const fill = parameters['fill'] as FillKind
  const blur = parameters['blur'] as number
  const mine = await explainAll(neuromask, demo, subjects, { preset })
  const others = await explainAll(neuromask, demo, subjects, { preset }, 'wrong')
  const { averagePrecision, energyRatio, area } = localise(subjects, mine)
  return {
    preset,
    scenes: subjects.length,
    precision: `${averagePrecision.mean.toFixed(3)} (${averagePrecision.sd.toFixed(2)})`,
    energyRatio,
    area,
    own: await keepRates(demo, subjects, mine, fill, blur),
    ownByJudge: await keepRates(judge, subjects, mine, fill, blur),
    wrong: await keepRates(demo, subjects, others, fill, blur),
    wrongByJudge: await keepRates(judge, subjects, others, fill, blur),
  }
}

function percent(value: number): string {
  return (100 * value).toFixed(1)
}

function render(rows: readonly Row[], ceiling: { demo: KeepRates; judge: KeepRates }, lastSeed: number): string {
  const table = (head: readonly string[], body: readonly (readonly (string | number)[])[]): string =>
    [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  const rates = (r: KeepRates): string[] => [r.own, ...unseenFills.map((kind) => r.unseen[kind]), r.unseenMean, r.maskOnly, ...harshFills.map((kind) => r.harsh[kind])].map(percent)
  const head = ['preset', 'mask for', 'judged by', 'own fill', ...unseenFills, 'unseen mean', 'mask only', ...harshFills]
  return [
    `Scenes 2000000 to ${lastSeed} where the bundled classifier is right (the published presets: the first ${plan[1]!.scenes} of them);`,
    'the seed of a run is its scene\'s. Average precision (mean, sd over scenes) is on the map, of the published presets on the values before the sigmoid; energy',
    'the median over scenes of the mask\'s energy inside the object divided by the object\'s share of the image, area the mean',
    'of the mask.',
    '',
    table(
      ['preset', 'scenes', 'average precision', 'energy over uniform', 'area', 'own minus wrong, unseen fills', 'the same by the judge'],
      rows.map((r) => [
        r.preset, r.scenes, r.precision, r.energyRatio.toFixed(2), r.area.toFixed(3),
        `${percent(r.own.unseenMean - r.wrong.unseenMean)} points`, `${percent(r.ownByJudge.unseenMean - r.wrongByJudge.unseenMean)} points`,
      ]),
    ),
    '',
    'Share of scenes, in percent, whose masked image is classified as the class the mask was made for: the true class, or a',
    'random other one (for which a mask that shows evidence cannot succeed). The own fill is the one the mask was optimised',
    'with (eight draws where it is drawn); no mask was optimised against the other three, nor against the two of full contrast,',
    'where the classifiers fail even with the object itself as the mask (first rows). "Mask only" is the mask in two greys.',
    '',
    table(
      head,
      [
        ['(the object and 2 px)', 'true class', 'demo', ...rates(ceiling.demo)],
        ['(the object and 2 px)', 'true class', 'judge', ...rates(ceiling.judge)],
        ...rows.flatMap((r) => [
          [r.preset, 'true class', 'demo', ...rates(r.own)],
          [r.preset, 'true class', 'judge', ...rates(r.ownByJudge)],
          [r.preset, 'wrong class', 'demo', ...rates(r.wrong)],
          [r.preset, 'wrong class', 'judge', ...rates(r.wrongByJudge)],
        ]),
      ],
    ),
    '',
  ].join('\n')
}
