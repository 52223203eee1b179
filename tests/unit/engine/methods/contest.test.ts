import { expect, test } from 'vitest'
import { contestCost, contestEnd, createContest } from '#engine/methods/masks/contest.ts'
import type { Progress } from '#shared/domain/run.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { explain, randomImages, single } from './neuromask-runs.ts'

test('a contest takes a fifth of the steps, and none where there is one start', () => {
  expect(contestEnd({ starts: 3, iterations: 300 })).toBe(60)
  expect(contestEnd({ starts: 2, iterations: 24 })).toBe(4)
  expect(contestEnd({ starts: 1, iterations: 300 })).toBe(0)
  expect(contestCost(3) * 300).toBeCloseTo(300 + 2 * 60, 9)
  expect(contestCost(1)).toBe(1)
})

test('the lowest mean loss of the second half wins, whatever came before and after', () => {
  const contest = createContest<string>(4)
  const losses: Record<string, number[]> = { a: [0, 0, 5, 5, 0], b: [9, 9, 4, 3, 99], c: [1, 1, 3, 5, 0] }
  for (const [name, all] of Object.entries(losses)) all.forEach((loss, iteration) => contest.note(name, iteration, loss))
  expect(contest.best(['a', 'b', 'c'], 1)).toEqual(['b'])
  expect(contest.best(['c', 'a', 'b'], 2)).toEqual(['c', 'b'])
  expect(contest.best(['a', 'b'], 2)).toEqual(['a', 'b'])
})

const classifier = analyticClassifier({ height: 12, width: 10 })
const images = randomImages(2, 12, 10, 4)
const set = { iterations: 40, resolution: 6, starts: 1 }
const totals = ({ progress }: { progress: Progress[] }): number[] => progress.map(({ losses }) => losses['total']!)

test('a contest of one step is decided by it', () => {
  const contest = createContest<string>(contestEnd({ starts: 2, iterations: 5 }))
  contest.note('a', 0, 2)
  contest.note('b', 0, 1)
  expect(contest.best(['a', 'b'], 1)).toEqual(['b'])
})

test('the starts are those of as many restarts, until the best goes on alone, and cost the contest besides', async () => {
  const run = (more: Record<string, number>): ReturnType<typeof explain> => explain(classifier, single(images, 0), { ...set, ...more })
  const [one, starts, restarts] = [await run({}), await run({ starts: 3 }), await run({ restarts: 3 })]
  expect(totals(starts).slice(0, 8)).toEqual(totals(restarts).slice(0, 8))
  for (let i = 8; i < 40; i++) expect(totals(starts)[i]).not.toBe(totals(restarts)[i])
  expect(starts.explanations[0]!.evaluations).toEqual({ forward: one.explanations[0]!.evaluations.forward + 2 * 8, backward: 40 + 2 * 8 })
  expect(starts.progress.at(-1)!.evaluations).toEqual(starts.explanations[0]!.evaluations)
})

test('each image has its own contest, and as many restarts as are asked for go on', async () => {
  const several = { ...set, starts: 2, restarts: 2 }
  const both = await explain(classifier, images, several, { seeds: [7, 8] })
  for (const i of [0, 1]) expect((await explain(classifier, single(images, i), several, { seeds: [7 + i] })).explanations[0]).toEqual(both.explanations[i])
  expect(both.explanations[0]!.evaluations.backward).toBe(4 * 8 + 2 * 32)
})

test('a plateau is looked for only when the contest is over', async () => {
  const stopping = { iterations: 400, resolution: 6, 'learning-rate': 0.0001, shift: 0, fill: 'mean', 'early-stopping': true, patience: 5, tolerance: 0.5, starts: 2 }
  const { explanations: [explanation] } = await explain(classifier, single(images, 0), stopping)
  expect(explanation!.notes.join(' ')).toContain('plateau at iteration 90')
})
