import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Evaluations, type Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { checkScores, scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { fillBlurParameter, mapBlurParameter, numberOf, scoreParameter, wordOf } from './common/parameters.ts'
import { plainExplanation } from './common/plain-result.ts'
import { frameOf, imageAt } from './gradients/samples.ts'
import { zeroName, zeroParameter, zeroPicture, type Zero } from './gradients/zero.ts'
import { classifyAll } from './masks/calls.ts'
import type { ExplainTask, Method, Step } from './method.ts'
import { createContributions, windowsOver, type Gathering } from './occlusion-windows.ts'
import { masksPerCall } from './queries/laying.ts'
import { createMaskQueries } from './queries/mask-queries.ts'
import type { BoxMasks } from './queries/masks.ts'

const ours = { score: 'log-odds', window: 42, stride: 10.5, gathering: 'mean', fill: 'mean', 'fill-blur': 10, 'map-blur': 2 } satisfies ParameterValues
const published = { ...ours, score: 'logit', fill: 'model-zero', 'map-blur': 0 } satisfies ParameterValues

/** How much the score falls where a window that slides over the image hides it. */
export const occlusion: Method = {
  id: 'occlusion',
  title: 'Occlusion',
  citation: 'M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014.',
  access: 'query',
  spreads: true,
  family: 'perturbation',
  deterministic: (parameters) => parameters['fill'] !== 'noise',
  map: { range: [-Infinity, Infinity], signed: true },
  parameters: [
    scoreParameter('log-odds', ['probability', 'logit', 'log-odds']),
    {
      type: 'number', name: 'window', label: 'Window', group: 'Windows', common: true,
      help: 'Side of the square window, for a shorter side of 224 pixels; it scales with the image.',
      default: 42, min: 1, max: 224, step: 0.5, unit: 'px at 224', tune: { min: 28, max: 56 },
    },
    {
      type: 'number', name: 'stride', label: 'Stride', group: 'Windows', common: true,
      help: 'From one window to the next, for a shorter side of 224 pixels; it scales with the image and is a pixel at least.',
      default: 10.5, min: 0.5, max: 224, step: 0.5, unit: 'px at 224', tune: { min: 7, max: 14 },
    },
    {
      type: 'choice', name: 'gathering', label: 'Pixels get', group: 'Map', help: 'What a pixel gets of the falls of the windows that hid it.',
      default: 'mean', options: [{ value: 'mean', label: 'Their mean' }, { value: 'sum', label: 'Their sum' }],
    },
    zeroParameter('Fill', 'What stands where the window hides the image.', 'mean', ['mean', 'zero', 'model-zero', 'blur', 'noise'], ['mean', 'zero', 'blur']),
    fillBlurParameter,
    mapBlurParameter(2, 4),
  ],
  presets: [
    { id: 'maskscope', title: 'Maskscope', source: 'Ours: windows of 12 pixels at 64 over the mean colour, every 3, on the log-odds, blurred by 2.', values: ours },
    {
      id: 'captum', title: 'As Captum', source: "Captum: the mean of the falls, over the network's zero; window and stride are the user's there, here those of its tutorial.",
      values: { ...published, window: 15, stride: 8 },
    },
    {
      id: 'xplique', title: 'As Xplique', source: "Xplique: windows of 3 every 3, over the network's zero, summed. Its last strip, where the stride does not fit, is covered here.",
      values: { ...published, window: 3, stride: 3, gathering: 'sum' },
    },
    {
      id: 'pair', title: 'As PAIR saliency', source: "The PAIR saliency library: windows of 15 at every pixel, over the network's zero, summed. At 224 pixels these are 44,100 windows.",
      values: { ...published, window: 15, stride: 1, gathering: 'sum' },
    },
  ],
  explain,
}

/** Calls of the classifier that make one iteration. */
const calls = 4

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, signal } = task
  const { info } = classifier
  const frame = frameOf(task)
  checkScores([{ kind: wordOf<ScoreKind>(parameters, 'score'), target: targets[0] ?? 0 }], info.classes, info.head)
  const scale = Math.min(frame.height, frame.width) / 224
  const pixels = (name: string): number => Math.max(1, Math.round(numberOf(parameters, name) * scale))
  const [window, stride] = [pixels('window'), pixels('stride')]
  const windows = windowsOver(frame, window, stride)
  const blur = mapBlurOf(parameters, frame)
  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = targets.map((_, index) => beginSubject(task, index, clean[index]!, windows))
  const iterations = Math.ceil(windows.length / 4 / (calls * masksPerCall(frame)))
  const stored = new Set(storedIterations(iterations))
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      await task.steer?.(iteration)
      for (const [image, subject] of subjects.entries()) {
        checkCancelled(signal)
        const losses = await subject.next()
        const look = (): MapData => finishMap(subject.map(), frame, blur).own
        yield { image, iteration, iterations, losses, probability: NaN, evaluations: { ...subject.evaluations }, ...(stored.has(iteration) ? { frame: look() } : { look }) }
      }
    }
    return subjects.map((subject) => subject.result(iterations, blur, `${window}×${window} pixels, every ${stride}`))
  } finally {
    for (const subject of subjects) await subject.stop()
  }
}

interface Subject {
  readonly evaluations: Evaluations
  /** @returns the mean and the largest fall of the score under the next windows */
  next(): Promise<{ fall: number; 'largest-fall': number }>
  map(): MapData
  result(iterations: number, blur: number, windows: string): Explanation
  stop(): Promise<void>
}

function beginSubject(task: ExplainTask, index: number, clean: Float32Array, windows: Int32Array): Subject {
  const { classifier, parameters } = task
  const { info } = classifier
  const frame = frameOf(task)
  const image = imageAt(task, index)
  const target = task.targets[index]!
  const kind = wordOf<ScoreKind>(parameters, 'score')
  const zero = wordOf<Zero>(parameters, 'fill')
  const gathering = wordOf<Gathering>(parameters, 'gathering')
  const fillBlur = (numberOf(parameters, 'fill-blur') * Math.min(frame.height, frame.width)) / 224
  const fill = zeroPicture(zero, info, frame, image, fillBlur, createRandom(task.seeds[index]!, 'occlusion', 'fill'))
  const queries = createMaskQueries(classifier, frame, image, task)
  const answers = queries.stream(questions(windows, calls * masksPerCall(frame), fill))
  const contributions = createContributions(frame, gathering)
  const whole = scoreValues([clean], { kind, target }, info.head)[0]!
  const evaluations = { forward: 1, backward: 0 }
  const map = (): MapData => ({ height: frame.height, width: frame.width, data: contributions.map() })
  return {
    evaluations, map,
    async next() {
      const step = await answers.next()
      if (step.done) throw new Error('no windows are left')
      const falls = Array.from(scoreValues(step.value.rows, { kind, target }, info.head), (score) => whole - score)
      contributions.add(step.value.question.masks, falls)
      evaluations.forward = 1 + queries.forward
      return { fall: falls.reduce((a, b) => a + b, 0) / falls.length, 'largest-fall': Math.max(...falls) }
    },
    result: (iterations, blur, size) => plainExplanation(frame, info.head, blur, {
      map: map(), signed: true, range: kind === 'probability' && gathering === 'mean' ? [-1, 1] : [-Infinity, Infinity],
      score: kind, target, logits: clean, iterations, evaluations,
      whyConstant: 'the score is the same whatever the window hides.',
      facts: [
        { label: 'Fill', value: zeroName(zero, info, frame.channels) },
        { label: 'Windows', value: `${windows.length / 4} of ${size}` },
      ],
    }),
    stop: async () => void (await answers.return()),
  }
}

/** @param block windows of one question */
function* questions(windows: Int32Array, block: number, fill: Float32Array): Generator<{ masks: BoxMasks; fill: Float32Array }> {
  for (let from = 0; from < windows.length; from += 4 * block) {
    const boxes = windows.slice(from, from + 4 * block)
    yield { masks: { form: 'boxes', count: boxes.length / 4, boxes }, fill }
  }
}
