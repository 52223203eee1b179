import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStudy } from '#services/studies.ts'
import { openStudyForWriting, type StudyWriter } from '#services/study-writer.ts'
import { createFiles, nodeOperations, type FileOperations } from '#storage/files.ts'
import type { RunOrderManifest, RunRequestManifest } from '#storage/manifests.ts'

let folder: string
let study: StudyWriter
beforeEach(async () => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'maskscope-deleted-')), 'Zebras')
  study = await openStudyForWriting(folder)
})
afterEach(async () => {
  await study.close()
  rmSync(path.dirname(folder), { recursive: true, force: true })
})

const model = {
  name: 'tiny', sha256: 'c'.repeat(64), format: 'TF.js layers model', input: { height: 2, width: 2, channels: 3 }, classes: 4, head: 'softmax' as const,
  preprocessing: { fit: 'squash' as const, cropFraction: 1, resizeFilter: 'box' as const, range: [0, 1] as [number, number], mean: [0], std: [1], channelOrder: 'rgb' as const },
}
const asked = { method: 'neuromask', parameters: { iterations: 2 }, seed: 5, target: 'auto' as const, changes: [], executor: 'tfjs' as const }

function order(stored: { file: string; sha256: string }): RunOrderManifest {
  return {
    model, image: { kind: 'file', reference: 'zebra.png', ...stored, seenSha256: 'd'.repeat(64) },
    view: { picture: { width: 2, height: 2 }, crop: { left: 0, top: 0, width: 2, height: 2 }, size: { width: 2, height: 2 } }, ...asked,
  }
}

const request: RunRequestManifest = { model, image: { kind: 'file', reference: 'zebra.png' }, ...asked }

/** A run that began with this picture and failed. */
async function addRun(picture = 'picture'): Promise<string> {
  const id = study.reserveRun('zebra', 'neuromask')
  await study.beginRun(id, order(await study.storeInput(Buffer.from(picture), 'png')), { image: 'zebra.png', model: '/models/tiny' })
  await study.endRun(id, 'failed', new Error('it did not work'))
  return id
}

const ids = async (): Promise<string[]> => (await (await openStudy(folder)).runs()).map((run) => run.id)
const index = (): string[] => (JSON.parse(readFileSync(path.join(folder, 'Zebras.maskscope'), 'utf8')) as { runs: { id: string }[] }).runs.map((run) => run.id)

async function reopen(): Promise<void> {
  await study.close()
  study = await openStudyForWriting(folder)
}

describe('deleted runs', () => {
  test('are gone from the study and its index, and come back whole and in their place', async () => {
    const [first, second, third] = [await addRun(), await addRun(), await addRun()]
    const before = readFileSync(path.join(folder, 'runs', first, 'record.json'), 'utf8')
    await study.deleteRuns([first, second, first])
    expect(await ids()).toEqual([third])
    expect(index()).toEqual([third])
    await expect(study.readRun(first)).rejects.toMatchObject({ code: 'usage' })
    await study.restoreRuns([first])
    expect(await ids()).toEqual([first, third])
    expect(index()).toEqual([first, third])
    expect(readFileSync(path.join(folder, 'runs', first, 'record.json'), 'utf8')).toBe(before)
    expect((await study.records()).map(({ id, state, error }) => [id, state, error!.message])).toEqual([
      [first, 'failed', 'it did not work'], [third, 'failed', 'it did not work'],
    ])
  })

  test('are removed for good when the study is opened to write the next time, with pictures that no other run has', async () => {
    const [shared, own, kept] = [await addRun('shared'), await addRun('own'), await addRun('shared')]
    expect(readdirSync(path.join(folder, 'inputs'))).toHaveLength(2)
    await study.deleteRuns([shared, own])
    expect(readdirSync(path.join(folder, '.deleted')).sort()).toEqual([shared, own])
    expect(readdirSync(path.join(folder, 'inputs'))).toHaveLength(2)
    await reopen()
    expect(existsSync(path.join(folder, '.deleted'))).toBe(false)
    expect(await ids()).toEqual([kept])
    const inputs = readdirSync(path.join(folder, 'inputs'))
    expect(inputs.map((name) => readFileSync(path.join(folder, 'inputs', name), 'utf8'))).toEqual(['shared'])
    await expect(study.restoreRuns([own])).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('no deleted run') as string })
  })

  test('keep their pictures where a record of another run cannot be read', async () => {
    const [gone, damaged] = [await addRun('one'), await addRun('two')]
    writeFileSync(path.join(folder, 'runs', damaged, 'record.json'), '{')
    await study.deleteRuns([gone])
    await reopen()
    expect(readdirSync(path.join(folder, 'inputs'))).toHaveLength(2)
  })

  test('leave their numbers: none is given again, not even when the index is lost before the next program comes', async () => {
    await addRun()
    const last = await addRun()
    await study.deleteRuns([last])
    await study.close()
    rmSync(path.join(folder, 'Zebras.maskscope'))
    study = await openStudyForWriting(folder)
    await reopen()
    await reopen()
    expect(study.reserveRun('cat', 'neuromask')).toBe('0003-cat-neuromask')
  })

  test('must be there and have ended; otherwise none of them is touched', async () => {
    const first = await addRun()
    const running = study.reserveRun('cat', 'neuromask')
    await study.beginRun(running, order(await study.storeInput(Buffer.from('x'), 'png')), { image: 'a', model: 'm' })
    const queued = study.reserveRun('dog', 'neuromask')
    await study.noteRun(queued, request, { image: 'a', model: 'm' })
    for (const wrong of [running, queued]) {
      await expect(study.deleteRuns([first, wrong])).rejects.toMatchObject({ code: 'usage', subject: wrong, message: expect.stringContaining('cancel it first') as string })
    }
    for (const wrong of ['0099-no-run', '../inputs', '..', '']) {
      await expect(study.deleteRuns([first, wrong])).rejects.toMatchObject({ code: 'usage' })
      await expect(study.restoreRuns([wrong])).rejects.toMatchObject({ code: 'usage' })
    }
    expect(await ids()).toEqual([first, running, queued])
    await study.endRun(running, 'cancelled')
    await study.endRun(queued, 'cancelled')
  })
})

describe('where the disk refuses', () => {
  function refusing(code: string, when: (call: number) => boolean): FileOperations {
    let calls = 0
    const refuse = async (...args: Parameters<FileOperations['rename']>): Promise<void> => {
      const isFolder = !String(args[0]).endsWith('.part')
      if (isFolder && when(++calls)) throw Object.assign(new Error(code), { code })
      return nodeOperations.rename(...args)
    }
    return { ...nodeOperations, rename: refuse }
  }

  test.each(['EACCES', 'ENOSPC'])('%s at the second run: both stay where they are', async (code) => {
    const all = [await addRun(), await addRun()]
    await study.close()
    study = await openStudyForWriting(folder, { files: createFiles(refusing(code, (call) => call === 2)) })
    await expect(study.deleteRuns(all)).rejects.toMatchObject({ code: 'storage', subject: expect.stringContaining(all[1]!) as string })
    expect(await ids()).toEqual(all)
    await study.deleteRuns(all)
    expect(await ids()).toEqual([])
  })

  test('what cannot be removed for good does not keep the study from opening', async () => {
    const id = await addRun()
    await study.deleteRuns([id])
    await study.close()
    const rm: FileOperations['rm'] = (target, options) =>
      String(target).includes('.deleted') ? Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' })) : nodeOperations.rm(target, options)
    study = await openStudyForWriting(folder, { files: createFiles({ ...nodeOperations, rm }) })
    expect(await ids()).toEqual([])
    await study.restoreRuns([id])
    expect(await ids()).toEqual([id])
  })
})

describe('a run that waits', () => {
  test('is known to readers, not to the index, and as interrupted after a crash', async () => {
    const done = await addRun()
    const id = study.reserveRun('dog', 'neuromask')
    await study.noteRun(id, request, { image: 'dog.png', model: 'm' })
    const other = await addRun()
    expect(index()).toEqual([done, other])
    expect((await (await openStudy(folder)).records()).map((record) => record.state)).toEqual(['failed', 'queued', 'failed'])
    // The program ends here without a word.
    await study.close()
    expect((await (await openStudy(folder)).runs()).map((run) => run.state)).toEqual(['failed', 'interrupted', 'failed'])
    study = await openStudyForWriting(folder)
    expect((await study.records())[1]).toMatchObject({ state: 'interrupted', order: null, request: { image: { reference: 'zebra.png' } } })
    expect(index()).toEqual([done, id, other])
  })
})

test('a study of the first version opens: its records get what was asked for, its runs an empty list of changes and the executor of that time', async () => {
  const id = await addRun()
  await study.close()
  const file = path.join(folder, 'runs', id, 'record.json')
  const { format: _, version: __, request: ___, order: written, ...old } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>
  const { changes: ____, executor: ______, ...oldOrder } = written as { changes: unknown; executor: unknown }
  writeFileSync(file, JSON.stringify({ ...old, order: oldOrder, found: { image: 'zebra.png', model: '/models/tiny' } }))
  const manifest = path.join(folder, 'Zebras.maskscope')
  const { nextNumber: _____, ...oldManifest } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>
  writeFileSync(manifest, JSON.stringify(oldManifest))
  const [record] = await (await openStudy(folder)).records()
  expect(record).toMatchObject({ id, state: 'failed', version: 3, request: { ...request, model: { name: 'tiny' } }, order: { changes: [], executor: 'tfjs' }, executor: null })
  mkdirSync(path.join(folder, '.deleted'))
  study = await openStudyForWriting(folder)
  expect(study.reserveRun('a', 'b')).toBe('0002-a-b')
})
