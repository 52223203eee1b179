import { setImmediate as nextTurn } from 'node:timers/promises'
import { getBackend, version_core as tfjsVersion } from '@tensorflow/tfjs-core'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import type { Explanation, Progress } from '#shared/domain/run.ts'
import { selectBackend } from './backend/select.ts'
import type { Classifier } from './classifier/classifier.ts'
import { loadClassifier, type LoadedClassifier } from './classifier/load.ts'
import { diagnose } from './diagnose.ts'
import { fatalReason } from './fatal.ts'
import { joined } from './graph/joined.ts'
import { loadOnnxruntime } from './graph/onnxruntime/runtime.ts'
import { createLending, type Lending } from './lending.ts'
import { measureAll } from './measure.ts'
import { classifyAll } from './methods/masks/calls.ts'
import { logProbabilities } from './methods/masks/prediction.ts'
import type { Step } from './methods/method.ts'
import { classifyCalls } from './methods/queries/laying.ts'
import { Album, unpack } from './methods/queries/wire.ts'
import { deletesMarked, findMethod } from './methods/registry.ts'
import type { EngineVersions, ModelUse, WorkerReply, WorkerRequest } from './protocol.ts'
import { generate } from './reconstruction/generate.ts'
import { loadGenerator } from './reconstruction/generator.ts'
import { trainGenerator, type TrainedGenerator } from './reconstruction/train.ts'
import { createSteering, type Steering } from './steering.ts'

type ExplainRequest = Extract<WorkerRequest, { type: 'explain' }>
type MeasureRequest = Extract<WorkerRequest, { type: 'measure' }>
type TrainRequest = Extract<WorkerRequest, { type: 'train' }>
type GenerateRequest = Extract<WorkerRequest, { type: 'generate' }>
type AssistRequest = Extract<WorkerRequest, { type: 'assist' }>
type Control = Extract<WorkerRequest, { type: 'cancel' | 'pause' | 'resume' | 'change' | 'helpers' | 'shared' }>
type OfModel = Extract<WorkerRequest, { model: string }>

export interface Engine {
  /** Answers come through `send`, whose promise resolves once one is on its way; it never throws. */
  handle(request: WorkerRequest): void
  /** Requests that have no last answer yet. */
  openRequests(): number[]
}

/** Models kept in memory; the one used longest ago leaves when another comes. */
const modelLimit = 4
/** Least time between two frames of one image that are for display only, in ms. */
const frameInterval = 33

interface OpenRequest {
  controller: AbortController
  steering: Steering
  lending: Lending
}

/**
 * What a worker does, without the process around it: one request after the other; `cancel`, `pause`, `resume` and `change` at once.
 * A paused run keeps its turn: its tensors and its optimiser live in this process, and nothing else computes here meanwhile.
 * @param endWith called with an error after which the process must not go on
 */
export function createEngine(send: (message: WorkerReply) => void | Promise<void>, endWith: (error: unknown) => void): Engine {
  /** In the order of use, the latest last. */
  const models = new Map<string, { classifier: LoadedClassifier; use: ModelUse }>()
  const open = new Map<number, OpenRequest>()
  /** The run that was helped last, and the pictures that came with its shares. */
  let assisted = { run: '', album: new Album() }
  let queue: Promise<void> = Promise.resolve()

  /** Short enough that nobody need wait. */
  function reply(message: WorkerReply): void {
    void send(message)
  }

  function handle(request: WorkerRequest): void {
    switch (request.type) {
      case 'cancel':
      case 'pause':
      case 'resume':
      case 'change':
      case 'helpers':
      case 'shared':
        return control(request)
    }
    const { id } = request
    const controller = new AbortController()
    const steering = createSteering((news) => reply({ ...news, id }))
    const lending = createLending((news) => reply({ ...news, id }))
    open.set(id, { controller, steering, lending })
    queue = queue.then(async () => {
      try {
        if (controller.signal.aborted) throw new MaskscopeError('cancelled', 'The run was cancelled.')
        await answer(request, { controller, steering, lending })
      } catch (error) {
        if (fatalReason(error) !== undefined) return endWith(error)
        reply({ type: 'failed', id, error: serialiseError(error) })
      }
      open.delete(id)
    })
  }

  function control(request: Control): void {
    const { id } = request
    const { controller, steering, lending } = open.get(id) ?? {}
    switch (request.type) {
      case 'cancel':
        return controller?.abort()
      case 'pause':
        return steering?.pause()
      case 'resume':
        return steering?.resume()
      case 'helpers':
      case 'shared':
        return lending?.hear(request)
      case 'change':
        if (steering) return steering.change(request.parameters)
        return reply({ type: 'refused', id, error: { code: 'usage', message: 'The run has ended; nothing in it can be changed any more.' } })
    }
  }

  async function answer(request: Exclude<WorkerRequest, Control>, hands: OpenRequest): Promise<void> {
    const { id } = request
    switch (request.type) {
      case 'start':
        return reply({ type: 'ready', id, backend: await selectBackend(request.backend), versions: await versions() })
      case 'load':
        return load(id, request.key, request.source, request.use)
      case 'describe':
        return reply({ type: 'described', id, report: findModel(request).graph })
      case 'classify':
        return reply({ type: 'logits', id, logits: await findModel(request).logits(request.images) })
      case 'explain':
        return explain(request, hands)
      case 'measure':
        return measure(request, hands.controller.signal)
      case 'train':
        return train(request, hands)
      case 'generate':
        return generateFrom(request, hands.controller.signal)
      case 'assist':
        return assist(request)
      case 'diagnose':
        return reply({ type: 'diagnosis', id, diagnosis: await diagnose() })
    }
  }

  async function load(id: number, key: string, source: ModelSource, use: ModelUse): Promise<void> {
    const held = models.get(key)
    const dropped: string[] = []
    if (held && !sameUse(held.use, use)) drop(key)
    for (const oldest of models.keys()) {
      if (models.size < modelLimit || models.has(key)) break
      drop(oldest)
      dropped.push(oldest)
    }
    const classifier = models.get(key)?.classifier ?? (await loadClassifier(source, use))
    models.set(key, { classifier, use })
    reply({ type: 'loaded', id, info: classifier.info, dropped })
  }

  function drop(key: string): void {
    models.get(key)?.classifier.dispose()
    models.delete(key)
  }

  function findModel(request: Pick<OfModel, 'model'>): LoadedClassifier {
    const held = models.get(request.model)
    if (!held) throw new MaskscopeError('worker', `The engine does not hold the model ${request.model}.`)
    models.delete(request.model)
    models.set(request.model, held)
    return held.classifier
  }

  async function explain(request: ExplainRequest, { controller: { signal }, steering, lending }: OpenRequest): Promise<void> {
    const { id, images, parameters, seeds } = request
    const classifier = findModel(request)
    await classifier.setThreads(request.threads)
    const method = findMethod(request.method)
    const steer = steering.follow(method, request.changes, signal)
    const { targets, originals } = await chooseTargets(classifier, request).catch((error: unknown) => {
      throw inWords(error, classifier, 0)
    })
    reply({ type: 'targets', id, targets, originals })
    const { objects } = request
    const steps = method.explain({ classifier, images, targets, seeds, parameters, signal, steer, ...(objects ? { objects } : {}), ...(request.spread ? { spread: lending.spread } : {}) })
    const toProgress = forDisplay(request.live)
    let explanations: Explanation[] | undefined
    let next = 0
    try {
      while (!explanations) {
        const step = await steps.next()
        if (step.done) explanations = step.value
        else {
          reply({ type: 'progress', id, progress: toProgress(step.value) })
          next = step.value.iteration + 1
        }
        // Messages, `cancel` among them, are read between turns of the event loop only.
        await nextTurn()
        if (signal.aborted) throw new MaskscopeError('cancelled', 'The run was cancelled.')
      }
    } catch (error) {
      // Lets the method give its tensors back.
      await steps.return([]).catch(() => undefined)
      throw inWords(error, classifier, next)
    }
    const notes: string[] = []
    if (deletesMarked(method.id, parameters)) notes.push('The masked probability is that of the image without what the mask marks.')
    const late = steering.missed()
    if (late.length > 0) notes.push(`The run ended before iteration ${late.join(', ')}, from which a change was to hold.`)
    reply({ type: 'explained', id, explanations: explanations.map((explanation) => ({ ...explanation, notes: [...explanation.notes, ...notes] })) })
  }

  async function assist({ id, model, run, work, threads }: AssistRequest): Promise<void> {
    const classifier = findModel({ model })
    await classifier.setThreads(threads)
    if (assisted.run !== run) assisted = { run, album: new Album() }
    assisted.album.add(work.pictures)
    const { scene, masks } = unpack(work, assisted.album)
    reply({ type: 'logits', id, logits: joined(await classifyCalls(classifier, scene, masks)) })
  }

  async function measure({ id, model, judge: other, work, threads }: MeasureRequest, signal: AbortSignal): Promise<void> {
    const classifier = findModel({ model })
    const judge = other === null ? null : findModel({ model: other })
    for (const held of [classifier, judge]) await held?.setThreads(threads)
    reply({ type: 'measured', id, outcomes: await measureAll(work, classifier, judge, signal) })
  }

  async function train({ id, model, work, threads }: TrainRequest, { controller: { signal }, steering }: OpenRequest): Promise<void> {
    const classifier = findModel({ model })
    await classifier.setThreads(threads)
    const steps = trainGenerator({ ...work, classifier, classes: classifier.info.classes, signal, steer: steering.follow({ parameters: [], presets: [] }, [], signal) })
    let trained: TrainedGenerator | undefined
    try {
      while (!trained) {
        const step = await steps.next()
        if (step.done) trained = step.value
        // Checkpoints are long: without waiting, they and all news behind them would pile up until the training has ended.
        else await send({ type: 'training', id, step: step.value })
        // Messages, `cancel` and `pause` among them, are read between turns of the event loop only.
        await nextTurn()
      }
    } catch (error) {
      throw inWords(error, classifier, 0)
    }
    reply({ type: 'trained', id, trained })
  }

  async function generateFrom({ id, model, judge: other, generator: files, work, threads }: GenerateRequest, signal: AbortSignal): Promise<void> {
    const classifier = findModel({ model })
    const judge = other === null ? null : findModel({ model: other })
    for (const held of [classifier, judge]) await held?.setThreads(threads)
    const generator = await loadGenerator(files)
    try {
      const result = await generate(work, { generator, classifier, judge, signal, tell: (progress) => reply({ type: 'generating', id, progress }) })
      if (signal.aborted) throw new MaskscopeError('cancelled', 'The work was cancelled.')
      reply({ type: 'generated', id, result })
    } finally {
      generator.dispose()
    }
  }

  return { handle, openRequests: () => [...open.keys()] }
}

/** Where a GPU is used ONNX Runtime is loaded only when it is asked for. */
async function versions(): Promise<EngineVersions> {
  const loaded = getBackend() === 'tensorflow' ? null : await loadOnnxruntime()
  return { tfjs: tfjsVersion, onnxruntime: loaded?.ort ? loaded.version : null }
}

function sameUse(a: ModelUse, b: ModelUse): boolean {
  return a.executor === b.executor && a.memory === b.memory
}

/** What crosses to the window: a step without its `look`, with a frame where one is due. Frames only show, they change nothing. */
function forDisplay(live: boolean): (step: Step) => Progress {
  const shown = new Map<number, number>()
  return ({ look, lookAtStrip, ...progress }) => {
    const now = performance.now()
    const due = live && now - (shown.get(progress.image) ?? -Infinity) >= frameInterval
    if (due && look) progress.frame = look()
    if (due && lookAtStrip) progress.strip = lookAtStrip()
    if (progress.frame) shown.set(progress.image, now)
    return progress
  }
}

/** What was not meant for a person says where it happened; a reason to end the process stays what it is. */
function inWords(error: unknown, { info }: Classifier, iteration: number): unknown {
  if (error instanceof MaskscopeError || fatalReason(error) !== undefined) return error
  const where = iteration === 0 ? 'before the first iteration' : `at iteration ${iteration}`
  const why = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
  return new MaskscopeError(
    'run', `${info.name} failed ${where}: ${why}. Run it again; if it fails at the same place, the model or its backend cannot compute this.`, { cause: error },
  )
}

/** `auto` becomes the clean image's top class, the first of several equal ones. */
async function chooseTargets(classifier: Classifier, request: ExplainRequest): Promise<{ targets: number[]; originals: (number | null)[] }> {
  const { classes, labels, name, head } = classifier.info
  for (const target of request.targets) {
    if (target === 'auto' || (Number.isInteger(target) && target >= 0 && target < classes)) continue
    const known = labels ? ', or a label' : ''
    throw new MaskscopeError('usage', `Target ${target} is out of range: ${name} has the classes 0 to ${classes - 1}${known}.`, { subject: 'target' })
  }
  const rows = await classifyAll(classifier, request.images, request.images.data, request.images.count)
  const targets = request.targets.map((target, i) => (target === 'auto' ? topClass(rows[i]!) : target))
  return { targets, originals: targets.map((target, i) => (head === 'none' ? null : Math.exp(logProbabilities(rows[i]!, target, head).hit))) }
}

function topClass(logits: Float32Array): number {
  let top = 0
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[top]!) top = i
  return top
}
