import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { version_core as tfjsVersion } from '@tensorflow/tfjs-core'
import { selectBackend } from '#engine/backend/select.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { needOnnxruntime } from '#engine/graph/onnxruntime/runtime.ts'
import { multiplyAdds } from '#engine/graph/cost.ts'
import type { Executor } from '#engine/graph/executor.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import { createNetwork, networkNames } from './networks/architectures.ts'
import { classifierOf, sourceOf } from './networks/classifier.ts'
import { taskFor, writeNetwork, type Task } from './networks/files.ts'
import { graphOf } from './networks/graph.ts'
import type { Network } from './networks/layers.ts'
import { endlessRun } from './neuromask-step.ts'
import { measurePeer, type PeerTimes } from './peers/against.ts'
import { findPython, startPeer, type Peer, type PeerKind } from './peers/pytorch.ts'
import { createPool } from '#pool/pool.ts'
import { forkLauncher } from '#pool/wire.ts'
import type { BenchOptions } from './run.ts'
import { medians, rounded } from './timing.ts'

const threads = os.availableParallelism()

/**
 * ONNX Runtime on all cores against TF.js on WASM (which has one thread), a step of NeuroMask against the forward and
 * backward pass it contains, and, where a Python with PyTorch is found, whole explanations against PyTorch on as many
 * threads. In each comparison the pieces take turns. Quick: fewer rounds, no PyTorch.
 */
export async function run({ quick }: BenchOptions): Promise<object> {
  const { version: onnxruntime } = await needOnnxruntime()
  await selectBackend('wasm')
  const networks: Record<string, object> = {}
  const found = quick ? { reason: 'Left out of a quick run.' } : await findPython()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'maskscope-bench-'))
  let peer: Peer | undefined
  // From the sources, as this benchmark itself runs.
  const pool = createPool({ launch: forkLauncher(path.resolve(import.meta.dirname, '../src-main/engine/worker.ts'), ['--import', 'tsx']), backend: 'wasm', memory: () => 2 ** 32 })
  const times: Record<string, PeerTimes> = {}
  const loadBefore = rounded(os.loadavg()[0]!)
  try {
    if ('python' in found) peer = await startPeer(found.python, folder, threads)
    for (const name of networkNames) {
      const network = createNetwork(name)
      const task = taskFor(network)
      await writeNetwork(folder, network, task)
      const { facts, native } = await measureNetwork(network, task, quick)
      networks[name] = facts
      if (peer) times[name] = await measurePeer(peer, network, task, classifierOf(network, graphOf(network), native, 'onnxruntime'), pool, sourceOf(network))
      native.dispose()
    }
  } finally {
    peer?.end()
    await pool.dispose()
    await rm(folder, { recursive: true })
  }
  return {
    machine: {
      processor: os.cpus()[0]?.model.trim() ?? '', cores: os.cpus().length, threads, loadBefore, loadAfter: rounded(os.loadavg()[0]!),
      node: process.version, onnxruntime, tfjs: tfjsVersion,
    },
    networks,
    peer: peer ? peerTable(peer, times) : null,
    ...('reason' in found ? { peerSkipped: found.reason } : {}),
  }
}

async function measureNetwork(network: Network, task: Task, quick: boolean): Promise<{ facts: object; native: Executor }> {
  const graph = graphOf(network)
  const { image, target } = task
  const wasm = createTfjsExecutor(graph, 'softmax')
  const native = await createOnnxruntimeExecutor(graph, 'softmax', { threads })
  const single = await createOnnxruntimeExecutor(graph, 'softmax', { threads: 1 })
  const forward = (executor: Executor) => async (): Promise<void> => void (await executor.forward(image, 1))
  const gradient = (executor: Executor) => async (): Promise<void> => void (await executor.gradient(image, 1, [{ kind: 'log-probability', target }], 'exact'))

  const calls = await medians({
    forwardWasm: forward(wasm), forward: forward(native), forwardOneThread: forward(single),
    gradientWasm: gradient(wasm), gradient: gradient(native), gradientOneThread: gradient(single),
  }, quick ? 5 : 15)
  wasm.dispose()
  single.dispose()

  const classifier = classifierOf(network, graph, native, 'onnxruntime')
  const picture = { count: 1, height: network.side, width: network.side, channels: 3, data: image }
  const maskscope = endlessRun(classifier, picture, { preset: 'maskscope' })
  const published = endlessRun(classifier, picture, { preset: 'imagenet-demo' })
  // Past the compilation of the loops and the painting of the fills.
  for (let i = 0; i < (quick ? 40 : 80); i++) {
    await maskscope()
    await published()
  }
  const steps = await medians({ gradient: gradient(native), maskscope, published }, quick ? 11 : 41)
  return {
    native,
    facts: {
      input: network.side,
      multiplyAddsInMillions: Math.round(multiplyAdds(graph) / 1e6),
      forwardRatioToWasm: rounded(calls.forwardWasm / calls.forward),
      gradientRatioToWasm: rounded(calls.gradientWasm / calls.gradient),
      /** Our preset, what a person gets by default: a mask of 28 cells, another fill at every step. */
      stepRatioToForwardBackward: rounded(steps.maskscope / steps.gradient, 3),
      /** The published ImageNet preset: a mask value per pixel, over black. */
      publishedStepRatioToForwardBackward: rounded(steps.published / steps.gradient, 3),
      forwardRatioToWasmOneThread: rounded(calls.forwardWasm / calls.forwardOneThread),
      gradientRatioToWasmOneThread: rounded(calls.gradientWasm / calls.gradientOneThread),
      milliseconds: {
        ...Object.fromEntries(Object.entries(calls).map(([name, ms]) => [name, rounded(ms)])),
        stepsGradient: rounded(steps.gradient), stepMaskscope: rounded(steps.maskscope), stepPublished: rounded(steps.published),
      },
    },
  }
}

function peerTable(peer: Peer, times: Record<string, PeerTimes>): object {
  const ratios = (job: keyof PeerTimes['jobs'], kind: PeerKind): Record<string, number> =>
    Object.fromEntries(Object.entries(times).map(([name, { jobs }]) => [name, rounded(jobs[job].ours / jobs[job][kind], 3)]))
  const jobsOf = (kind: PeerKind): object => ({
    neuromask100: ratios('neuromask100', kind), rise512: ratios('rise512', kind), integratedGradients50: ratios('integratedGradients50', kind),
  })
  return { engine: 'PyTorch', version: peer.version, threads: peer.threads, ...jobsOf('usual'), tuned: jobsOf('tuned'), details: times }
}
