import { MaskscopeError } from '#shared/domain/errors.ts'
import { executorNames, type ExecutorChoice, type ExecutorId, type ExecutorTiming, type ExecutorTimings, type ExecutorWish } from '#shared/domain/executor.ts'
import type { Executor } from '../graph/executor.ts'

/** One whose calls may use several cores can be told how many. */
export type ThreadedExecutor = Executor & { setThreads?(threads: number): Promise<void> }

/** Something that could run a model. */
export interface Contender {
  id: ExecutorId
  /** Of the library, where it has one of its own. */
  version: string | null
  /** What it is called in a sentence, e.g. "TensorFlow.js on WebAssembly". */
  name: string
  /** @throws Error where it cannot run this model */
  make(): Promise<ThreadedExecutor>
}

export interface ChoiceFacts {
  wish: ExecutorWish
  tfjs: Contender
  /** null where ONNX Runtime is out of the question here. */
  onnxruntime: Contender | null
  /** Why it is, for people, without a full stop. */
  without: string
  /** Of an earlier measurement. */
  measured: ExecutorTimings | null
  /** One image of the input's size. */
  image: Float32Array
  /** Milliseconds; tests give another. */
  now?(): number
}

export interface Chosen {
  executor: ThreadedExecutor
  choice: ExecutorChoice
}

/** Measuring ends after so long, in ms, or with the call that passes it. */
const patience = 2000
/** Once one is so many times as fast, neither is measured more often. */
const clearly = 2
const calls = 3

/**
 * The executor that is asked for, or the faster: what was measured before decides, else one forward and one backward pass of
 * each are timed on one image.
 * @throws MaskscopeError 'unavailable' where the one asked for cannot serve.
 */
export async function chooseExecutor(facts: ChoiceFacts): Promise<Chosen> {
  const { wish, tfjs, onnxruntime, without } = facts
  if (wish === 'tfjs') return taken(tfjs, 'It was asked for.', facts)
  if (!onnxruntime) {
    if (wish === 'onnxruntime') throw unavailable(without)
    return taken(tfjs, `${capital(without)}.`, facts)
  }
  const native = await attempt(onnxruntime)
  if ('problem' in native) {
    if (wish === 'onnxruntime') throw unavailable(`it cannot run this model: ${native.problem}`)
    return taken(tfjs, `${executorNames.onnxruntime} cannot run this model: ${native.problem}.`, facts)
  }
  if (wish === 'onnxruntime') return { executor: native.executor, choice: choiceOf(onnxruntime, 'It was asked for.', facts.measured) }
  return faster(native.executor, onnxruntime, facts)
}

async function taken(contender: Contender, reason: string, { measured }: ChoiceFacts): Promise<Chosen> {
  return { executor: await contender.make(), choice: choiceOf(contender, reason, measured) }
}

async function faster(native: ThreadedExecutor, onnxruntime: Contender, facts: ChoiceFacts): Promise<Chosen> {
  const { tfjs } = facts
  let other: ThreadedExecutor | undefined
  try {
    let measured = facts.measured
    if (!measured?.onnxruntime || !measured.tfjs) {
      const problem = await problemOf(native, facts.image)
      if (problem !== null) {
        native.dispose()
        return await taken(tfjs, `${executorNames.onnxruntime} cannot run this model: ${problem}.`, { ...facts, measured: null })
      }
      other = await tfjs.make()
      measured = await race({ onnxruntime: native, tfjs: other }, facts.image, facts.now ?? (() => performance.now()))
    }
    const times = { onnxruntime: measured.onnxruntime!, tfjs: measured.tfjs! }
    const winner = decisive(times.onnxruntime) <= decisive(times.tfjs) ? onnxruntime : tfjs
    const choice = choiceOf(winner, comparison(winner.id, times, facts.tfjs.name), measured)
    if (winner === onnxruntime) {
      other?.dispose()
      return { executor: native, choice }
    }
    native.dispose()
    return { executor: other ?? (await tfjs.make()), choice }
  } catch (error) {
    other?.dispose()
    native.dispose()
    throw error
  }
}

/**
 * Times both in turn, so that a busy moment hits both. The first call of each does not count: ONNX Runtime prepares the model in it, which
 * can take longer than all others. That of TF.js counts where it took all the time there is.
 */
async function race(both: Record<ExecutorId, Executor>, image: Float32Array, now: () => number): Promise<ExecutorTimings> {
  let begin = now()
  const late = (): boolean => now() - begin > patience
  const timed = async (call: () => Promise<unknown>): Promise<number> => {
    const start = now()
    await call()
    return now() - start
  }
  const ids = ['onnxruntime', 'tfjs'] as const
  const gradients: Record<ExecutorId, number[]> = { onnxruntime: [], tfjs: [] }
  const forwards: Record<ExecutorId, number> = { onnxruntime: 0, tfjs: 0 }
  const gradient = (id: ExecutorId): Promise<number> => timed(() => both[id].gradient(image, 1, [{ kind: 'logit', target: 0 }], 'exact'))
  const forward = (id: ExecutorId): Promise<number> => timed(() => both[id].forward(image, 1))
  await gradient('onnxruntime')
  begin = now()
  const first = await gradient('tfjs')
  if (late()) gradients.tfjs.push(first)
  for (let n = 0; n < calls; n++) {
    for (const id of ids) if (gradients[id].length === 0 || !late()) gradients[id].push(await gradient(id))
    const ratio = median(gradients.onnxruntime) / median(gradients.tfjs)
    if (late() || ratio > clearly || ratio < 1 / clearly) break
  }
  for (const id of ids) {
    const first = await forward(id)
    forwards[id] = late() ? first : await forward(id)
  }
  const timing = (id: ExecutorId): ExecutorTiming => ({ forward: forwards[id], gradient: median(gradients[id]) })
  return { onnxruntime: timing('onnxruntime'), tfjs: timing('tfjs') }
}

/** Most work is gradients. */
function decisive({ forward, gradient }: ExecutorTiming): number {
  return gradient ?? forward
}

function comparison(winner: ExecutorId, times: Record<ExecutorId, ExecutorTiming>, tfjsName: string): string {
  const own = times[winner]
  const other = times[winner === 'onnxruntime' ? 'tfjs' : 'onnxruntime']
  const name = winner === 'onnxruntime' ? tfjsName : executorNames.onnxruntime
  const pass = own.gradient === null ? 'forward' : 'forward and back'
  return `It is the faster on this machine: one image ${pass} took ${figure(decisive(own))} ms, with ${name} ${figure(decisive(other))} ms.`
}

function choiceOf({ id, version }: Contender, reason: string, measured: ExecutorTimings | null): ExecutorChoice {
  return { id, reason, measured: measured ?? {}, version }
}

async function attempt(contender: Contender): Promise<{ executor: ThreadedExecutor } | { problem: string }> {
  try {
    return { executor: await contender.make() }
  } catch (error) {
    return { problem: wordsOf(error) }
  }
}

/** What is wrong with it shows at its first use. */
async function problemOf(executor: Executor, image: Float32Array): Promise<string | null> {
  try {
    await executor.forward(image, 1)
    return null
  } catch (error) {
    return wordsOf(error)
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 300).replace(/\.$/, '')
}

function unavailable(why: string): MaskscopeError {
  return new MaskscopeError(
    'unavailable', `${executorNames.onnxruntime} was asked for, but ${why}. Leave the choice to Maskscope (auto), or take tfjs; the figures can differ in their last digits.`,
    { subject: 'executor' },
  )
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

function figure(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(2)
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
