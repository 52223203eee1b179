import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import type { Files } from '#storage/files.ts'
import { partFile, runFiles, runPath } from '#storage/layout.ts'
import { encodeLosses } from '#storage/losses.ts'
import type { RunManifest } from '#storage/manifests.ts'
import { encodeNpy, type NpyArray } from '#storage/npy.ts'
import type { RunResult } from './study-writer.ts'

/** All arrays and the losses of a finished run. @throws MaskscopeError 'storage' */
export async function writeArrays(files: Files, file: (name: keyof typeof runFiles) => string, result: RunResult): Promise<RunManifest['arrays']> {
  async function writeArray(name: 'saliency' | 'own' | 'ranking' | 'frames', array: NpyArray): Promise<{ shape: number[]; sha256: string }> {
    const [header, data] = encodeNpy(array)
    await files.write(file(name), header, data)
    return { shape: [...array.shape], sha256: createHash('sha256').update(header).update(data).digest('hex') }
  }
  const saliency = await writeArray('saliency', mapArray(result.saliency))
  const own = await writeArray('own', mapArray(result.own))
  const ranking = result.ranking ? await writeArray('ranking', mapArray(result.ranking)) : null
  const stack = stackFrames(result.frames)
  const frames = stack ? { ...(await writeArray('frames', stack)), iterations: result.frames.map((f) => f.iteration) } : null
  const text = encodeLosses(result.losses)
  await files.write(file('losses'), text)
  const losses = { columns: [...result.losses.columns], rows: result.losses.rows.length, sha256: createHash('sha256').update(text).digest('hex') }
  const parts: RunManifest['arrays']['parts'] = []
  for (const { name, title, signed, count, height, width, data } of result.parts ?? []) {
    const [header, bytes] = encodeNpy({ shape: [count, height, width], data })
    await files.write(path.join(path.dirname(file('manifest')), partFile(name)), header, bytes)
    parts.push({ name, title, signed, shape: [count, height, width], sha256: createHash('sha256').update(header).update(bytes).digest('hex') })
  }
  return { saliency, own, ranking, frames, losses, parts }
}

function mapArray(map: MapData): NpyArray {
  return { shape: [map.height, map.width], data: map.data }
}

function stackFrames(frames: RunResult['frames']): NpyArray | null {
  const first = frames[0]?.map
  if (!first) return null
  const length = first.height * first.width
  const data = new Float32Array(frames.length * length)
  frames.forEach(({ map }, i) => {
    if (map.height !== first.height || map.width !== first.width) throw new MaskscopeError('run', 'The frames of this run differ in size.')
    data.set(map.data, i * length)
  })
  return { shape: [frames.length, first.height, first.width], data }
}

/** A run without result keeps its record only; a full disk gets the room back. */
export async function removeArrays(root: string, id: string, files: Files): Promise<void> {
  const folder = runPath(root, id)
  const parts = (await readdir(folder).catch(() => [])).filter((name) => /^part-.*\.npy$/.test(name))
  const names = (['saliency', 'own', 'ranking', 'frames', 'losses'] as const).map((name) => runFiles[name])
  for (const name of [...names, ...parts]) await files.remove(path.join(folder, name)).catch(() => undefined)
}
