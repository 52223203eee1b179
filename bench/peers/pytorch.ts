import { execFile, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

/** As torchvision's networks are run, or in the fastest of the variants that were tried. */
export type PeerKind = 'usual' | 'tuned'

/** PyTorch in a process of its own, beside ours (pytorch.py). */
export interface Peer {
  version: string
  threads: number
  load(network: string): Promise<{ logits: Record<string, number[]> }>
  calibrate(network: string): Promise<{ rows: object[]; chosen: Record<PeerKind, Record<string, string>> }>
  /** @returns the time in ms, and the final loss, the sum of the map, or the sum of the attributions */
  run(job: 'neuromask' | 'rise' | 'integratedGradients', network: string, count: number, kind: PeerKind): Promise<{ milliseconds: number; result: number }>
  end(): void
}

const script = path.join(import.meta.dirname, 'pytorch.py')

/** Large blocks stay in the process: else PyTorch spends more on page faults than on small networks. */
const allocation = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4000000000' }

/** @returns a Python that has PyTorch, or why there is none. MASKSCOPE_PYTHON names one. */
export async function findPython(): Promise<{ python: string } | { reason: string }> {
  const named = process.env['MASKSCOPE_PYTHON']
  const candidates = named ? [named] : ['python3', '/usr/bin/python3', 'python']
  for (const python of candidates) {
    try {
      await promisify(execFile)(python, ['-c', 'import torch, numpy'])
      return { python }
    } catch {
      continue
    }
  }
  return { reason: `PyTorch with numpy is not in ${candidates.join(', ')}; MASKSCOPE_PYTHON can name another Python.` }
}

/** @param folder where `writeNetwork` wrote */
export async function startPeer(python: string, folder: string, threads: number): Promise<Peer> {
  const child = spawn(python, [script, folder, String(threads), '--serve'], {
    stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...allocation, OMP_NUM_THREADS: String(threads) },
  })
  let trouble = ''
  child.stderr.on('data', (text: Buffer) => (trouble = (trouble + text.toString()).slice(-2000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  async function read<T>(): Promise<T> {
    const line = await lines.next()
    if (line.done) throw new Error(`PyTorch ended: ${trouble.trim()}`)
    return JSON.parse(line.value) as T
  }
  async function ask<T>(request: object): Promise<T> {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    return read<T>()
  }
  const { version, threads: used } = await read<{ version: string; threads: number }>()
  return {
    version,
    threads: used,
    load: (network) => ask({ do: 'load', network }),
    calibrate: (network) => ask({ do: 'calibrate', network }),
    run: (job, network, count, kind) => ask({ do: job, network, count, kind }),
    end: () => void child.stdin.end(),
  }
}
