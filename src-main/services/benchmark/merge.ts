import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { createFiles } from '#storage/files.ts'
import { differenceOf, manifestFile, readManifest, type BenchmarkManifest } from './manifest.ts'
import { openRecords } from './records.ts'

/**
 * Puts the shards of a benchmark together in a folder of their own, which then is what a run of all of it leaves.
 * @throws MaskscopeError 'usage' where they are not of one benchmark, or the folder holds another
 */
export async function mergeShards(folders: readonly string[], out: string): Promise<BenchmarkManifest> {
  const manifests = await Promise.all(folders.map(async (folder) => {
    const manifest = await readManifest(folder)
    if (!manifest) throw new MaskscopeError('usage', `The folder ${folder} holds no benchmark (no ${manifestFile}).`, { subject: folder })
    return manifest
  }))
  const first = manifests[0]!
  manifests.forEach((manifest, i) => {
    const differing = differenceOf(first, manifest, ['shard'])
    if (differing !== null) throw new MaskscopeError('usage', `The benchmarks in ${folders[0]} and ${folders[i]} differ in the ${differing}; only shards of one benchmark can be merged.`, { subject: folders[i]! })
    if (manifest.shard?.count !== first.shard?.count) throw new MaskscopeError('usage', `${folders[0]} and ${folders[i]} are shards of different numbers.`, { subject: folders[i]! })
  })
  const whole: BenchmarkManifest = { ...first, shard: null }
  const there = await readManifest(out)
  const differing = there && differenceOf(there, whole)
  if (differing) throw new MaskscopeError('usage', `The folder ${out} holds a benchmark that differs from these shards in the ${differing}; choose another with --out.`, { subject: '--out' })
  const files = createFiles()
  await files.makeFolder(out)
  const target = await openRecords(out, files)
  const has = await target.done()
  const merged = new Set((await target.seconds()).map((line) => JSON.stringify(line)))
  for (const folder of folders) {
    if (path.resolve(folder) === path.resolve(out)) continue
    const source = await openRecords(folder, files)
    for (const name of await source.done()) {
      const known = has.has(name) && (await target.read(name)) !== undefined
      const record = known ? undefined : await source.read<object>(name)
      if (record) await target.write(name, record)
    }
    for (const seconds of await source.seconds()) {
      if (!merged.has(JSON.stringify(seconds))) await target.addSeconds(seconds)
    }
    if (first.keepMaps) await copyMaps(folder, out, await source.done())
  }
  await files.write(path.join(out, manifestFile), `${JSON.stringify(whole, undefined, 2)}\n`)
  return whole
}

async function copyMaps(from: string, to: string, names: ReadonlySet<string>): Promise<void> {
  await createFiles().makeFolder(path.join(to, 'maps'))
  for (const name of names) {
    await copyFile(path.join(from, 'maps', `${name}.npy`), path.join(to, 'maps', `${name}.npy`)).catch((error: NodeJS.ErrnoException) => {
      // Records of images and comparisons have none.
      if (error.code !== 'ENOENT') throw error
    })
  }
}
