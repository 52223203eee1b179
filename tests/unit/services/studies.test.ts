import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStudy } from '#services/studies.ts'
import { openStudyForWriting, type RunResult, type StudyWriter } from '#services/study-writer.ts'
import { createFiles, nodeOperations, type FileOperations, type Files } from '#storage/files.ts'
import type { RunOrderManifest, RunRecord } from '#storage/manifests.ts'

let folder: string
beforeEach(() => void (folder = path.join(mkdtempSync(path.join(tmpdir(), 'maskscope-study-')), 'Zebras')))
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }))

function order(stored: { file: string; sha256: string }): RunOrderManifest {
  return {
    model: {
      name: 'tiny', sha256: 'c'.repeat(64), format: 'TF.js layers model', input: { height: 2, width: 2, channels: 3 }, classes: 4, head: 'softmax',
      preprocessing: { fit: 'squash', cropFraction: 1, resizeFilter: 'box', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' },
    },
    image: { kind: 'file', reference: 'zebra.png', ...stored, seenSha256: 'd'.repeat(64) },
    view: { picture: { width: 3, height: 2 }, crop: { left: 0, top: 0, width: 3, height: 2 }, size: { width: 2, height: 2 } },
    method: 'neuromask', parameters: { iterations: 2, fill: 'mean', flip: true }, seed: 5, target: 'auto', changes: [], executor: 'tfjs',
  }
}

function result(value: number): RunResult {
  const map = (height: number, width: number) => ({ height, width, data: new Float32Array(height * width).fill(value) })
  return {
    facts: {
      backend: 'cpu', executor: 'tfjs', versions: { maskscope: '0.1.0', tfjs: '4.22.0', onnxruntime: null }, target: { index: 2, label: 'zebra' }, score: 'log-probability',
      probability: { original: 0.9, masked: null }, iterations: 2, evaluations: { forward: 5, backward: 3 }, range: [0, null], signed: false, scale: 1, notes: ['a note'],
    },
    saliency: map(2, 3), own: map(2, 2), ranking: map(2, 2),
    frames: [0, 1, 2].map((iteration) => ({ iteration, map: map(2, 2) })),
    losses: { columns: ['iteration', 'total', 'probability'], rows: [[0, 3, 0.5], [1, 2, 0.25], [2, 1, 0.125]] },
    seconds: 1.5, device: 'a processor', executor: { id: 'tfjs', reason: 'It was asked for.', measured: {}, version: null },
  }
}

async function storeRun(study: StudyWriter, value: number): Promise<string> {
  const id = study.reserveRun('zebra', 'neuromask')
  await study.beginRun(id, order(await study.storeInput(Buffer.from(`picture ${value}`), 'png')), { image: 'photos/zebra.png', model: '/models/tiny' })
  await study.finishRun(id, result(value))
  return id
}

async function states(): Promise<string[]> {
  return (await (await openStudy(folder)).runs()).map((run) => `${run.id} ${run.state}`)
}

async function expectReadable(id: string, value: number): Promise<void> {
  const run = await (await openStudy(folder)).readRun(id)
  expect([...(await run.saliency()).data]).toEqual(new Array(6).fill(value))
  expect((await run.own()).data[3]).toBe(value)
  expect((await run.ranking())!.data[3]).toBe(value)
  expect((await run.frames()).map((f) => [f.iteration, f.map.data[0]])).toEqual([[0, value], [1, value], [2, value]])
  expect((await run.losses()).rows[2]).toEqual([2, 1, 0.125])
  expect(Buffer.from(await run.input()).toString()).toBe(`picture ${value}`)
}

describe('a study', () => {
  test('gives back what was stored', async () => {
    const study = await openStudyForWriting(folder)
    const id = await storeRun(study, 0.5)
    await study.close()
    await expectReadable(id, 0.5)
    const run = await (await openStudy(path.join(folder, 'Zebras.maskscope'))).readRun('0001')
    expect(run.manifest).toMatchObject({ ...result(0.5).facts, order: { ...order(await Promise.resolve({ file: run.manifest.order.image.file, sha256: run.manifest.order.image.sha256 })) } })
    expect(run.record).toMatchObject({ id, state: 'finished', seconds: 1.5, found: { image: 'photos/zebra.png', model: '/models/tiny' }, machine: { device: 'a processor' } })
    expect(readdirSync(folder).sort()).toEqual(['Zebras.maskscope', 'inputs', 'runs'])
  })

  test('opened again goes on counting, and keeps equal pictures once', async () => {
    const study = await openStudyForWriting(folder)
    await storeRun(study, 1)
    await study.close()
    const again = await openStudyForWriting(folder)
    await storeRun(again, 1)
    await again.close()
    expect(await states()).toEqual(['0001-zebra-neuromask finished', '0002-zebra-neuromask finished'])
    expect(readdirSync(path.join(folder, 'inputs'))).toHaveLength(1)
  })

  test('is locked while it is written, and can be read meanwhile', async () => {
    const study = await openStudyForWriting(folder)
    const id = study.reserveRun('a', 'b')
    await study.beginRun(id, order(await study.storeInput(new Uint8Array(3), 'png')), { image: 'a', model: 'm' })
    await expect(openStudyForWriting(folder)).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining('another Maskscope') as string })
    expect(await states()).toEqual(['0001-a-b running'])
    await expect((await openStudy(folder)).readRun(id)).rejects.toThrow('it is running')
    await study.endRun(id, 'failed', new Error('it did not work'))
    await study.close()
    expect(await states()).toEqual(['0001-a-b failed'])
    await expect((await openStudy(folder)).readRun(id)).rejects.toThrow('it did not work')
  })

  test('that is not there, or is no study, is said to be none', async () => {
    await expect(openStudy(folder)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('not a study') as string })
    mkdirSync(folder)
    await expect(openStudy(folder)).rejects.toMatchObject({ code: 'usage' })
  })

  test('two studies in one folder are refused', async () => {
    await (await openStudyForWriting(folder)).close()
    writeFileSync(path.join(folder, 'Other.maskscope'), '{}')
    await expect(openStudyForWriting(folder)).rejects.toThrow('several studies')
  })

  test('of a newer format is refused and left as it is', async () => {
    await (await openStudyForWriting(folder)).close()
    const file = path.join(folder, 'Zebras.maskscope')
    const text = readFileSync(file, 'utf8').replace('"version": 1', '"version": 2')
    writeFileSync(file, text)
    await expect(openStudyForWriting(folder)).rejects.toThrow('newer Maskscope')
    await expect(openStudy(folder)).rejects.toThrow('newer Maskscope')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(existsSync(path.join(folder, '.writer-lock'))).toBe(false)
  })

  test('whose index is damaged or gone is rebuilt from its runs; the damaged one is kept', async () => {
    const study = await openStudyForWriting(folder)
    const id = await storeRun(study, 2)
    await study.close()
    const file = path.join(folder, 'Zebras.maskscope')
    const whole = JSON.parse(readFileSync(file, 'utf8')) as { runs: unknown }
    writeFileSync(file, '{"format": "maskscope-stu')
    await expectReadable(id, 2)
    await (await openStudyForWriting(folder)).close()
    expect((JSON.parse(readFileSync(file, 'utf8')) as { runs: unknown }).runs).toEqual(whole.runs)
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe('{"format": "maskscope-stu')
    rmSync(file)
    await expectReadable(id, 2)
    await (await openStudyForWriting(folder)).close()
    expect(existsSync(file)).toBe(true)
  })
})

describe('what a crash leaves', () => {
  test('runs that had begun are marked, temporary files and half results removed', async () => {
    const study = await openStudyForWriting(folder)
    await storeRun(study, 3)
    const id = study.reserveRun('cut', 'off')
    await study.beginRun(id, order(await study.storeInput(new Uint8Array(3), 'png')), { image: 'a', model: 'm' })
    await study.close()
    const runFolder = path.join(folder, 'runs', id)
    writeFileSync(path.join(runFolder, 'saliency.npy'), 'whole or not')
    for (const place of [folder, path.join(folder, 'inputs'), runFolder]) writeFileSync(path.join(place, '.x.0123.part'), '')
    // Between the last two files of a run: the record says finished, run.json is not there.
    const record = path.join(runFolder, 'record.json')
    writeFileSync(record, readFileSync(record, 'utf8').replace('"running"', '"finished"'))
    mkdirSync(path.join(folder, 'runs', '0003-empty-run'))

    expect(await states()).toEqual(['0001-zebra-neuromask finished', '0002-cut-off interrupted'])
    const again = await openStudyForWriting(folder)
    expect(again.reserveRun('a', 'b')).toBe('0004-a-b')
    await again.close()
    expect((JSON.parse(readFileSync(record, 'utf8')) as RunRecord).state).toBe('interrupted')
    expect(readdirSync(runFolder)).toEqual(['record.json'])
    expect(readdirSync(folder).sort()).toEqual(['Zebras.maskscope', 'inputs', 'runs'])
    expect(readdirSync(path.join(folder, 'runs'))).toHaveLength(2)
    await expectReadable('0001-zebra-neuromask', 3)
  })

  /** The n-th call fails; after a crash so does every later one. */
  function failing(n: number, code: string, crash: boolean): { files: Files; calls: () => number } {
    let calls = 0
    const guarded = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      calls++
      if (calls === n || (crash && calls > n)) throw Object.assign(new Error(`${code}: injected`), { code })
      return call(...args)
    }
    const operations: FileOperations = {
      mkdir: guarded(nodeOperations.mkdir as never) as never,
      rename: guarded(nodeOperations.rename),
      rm: guarded(nodeOperations.rm),
      open: guarded(async (...args: Parameters<FileOperations['open']>) => {
        const handle = await nodeOperations.open(...args)
        return new Proxy(handle, {
          get(target, name) {
            if (name === 'writeFile' || name === 'sync') return guarded((...rest: never[]) => (target[name] as (...a: never[]) => Promise<void>)(...rest))
            const value = Reflect.get(target, name) as unknown
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      }) as never,
    }
    return { files: createFiles(operations), calls: () => calls }
  }

  test.each([['ENOSPC', false], ['EIO', true]] as const)('%s at any call of storing a run, crash %s: the run is whole or is none, the earlier one stays', async (code, crash) => {
    const study = await openStudyForWriting(folder)
    const earlier = await storeRun(study, 4)
    await study.close()
    let wholeRuns = 0
    let n = 1
    for (; n < 200; n++) {
      const { files, calls } = failing(n, code, crash)
      let failed: unknown
      let id = ''
      try {
        const writer = await openStudyForWriting(folder, { files })
        try {
          id = writer.reserveRun('zebra', 'neuromask')
          await writer.beginRun(id, order(await writer.storeInput(Buffer.from('picture 5'), 'png')), { image: 'a', model: 'm' })
          await writer.finishRun(id, result(5)).catch(async (error: unknown) => {
            await writer.endRun(id, 'failed', error)
            throw error
          })
        } finally {
          await writer.close()
        }
      } catch (error) {
        failed = error
        expect(error).toMatchObject({ code: 'storage', subject: expect.any(String) as string })
      }
      const entries = new Map((await (await openStudy(folder)).runs()).map((run) => [run.id, run.state]))
      expect(entries.get(earlier)).toBe('finished')
      const state = entries.get(id)
      if (state === 'finished') {
        wholeRuns++
        await expectReadable(id, 5)
      } else {
        expect(failed, `call ${n}`).toBeDefined()
        if (!crash) expect([undefined, 'failed', 'interrupted']).toContain(state)
      }
      if (calls() < n) break
      if (id !== '') rmSync(path.join(folder, 'runs', id), { recursive: true, force: true })
      // The next program to come: it clears up, so that every round meets the same study.
      await (await openStudyForWriting(folder)).close()
    }
    await expectReadable(earlier, 4)
    // The loop went through every call and ended with one that succeeded.
    expect(n).toBeGreaterThan(20)
    expect(n).toBeLessThan(200)
    expect(wholeRuns).toBeGreaterThan(0)
    await (await openStudyForWriting(folder)).close()
    const leftovers = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.part'))
    expect(leftovers).toEqual([])
  })
})

describe('a study made by somebody else', () => {
  interface Loose { order: { seed: unknown; image: { file: string } }; arrays: { frames: { iterations: number[] } } }

  async function tamper(change: (manifest: Loose) => void): Promise<string> {
    const study = await openStudyForWriting(folder)
    const id = await storeRun(study, 1)
    await study.close()
    const file = path.join(folder, 'runs', id, 'run.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Loose
    change(manifest)
    writeFileSync(file, JSON.stringify(manifest))
    return id
  }

  test('cannot name an input outside itself', async () => {
    const id = await tamper((m) => (m.order.image.file = '../../../etc/passwd'))
    await expect((await (await openStudy(folder)).readRun(id)).input()).rejects.toThrow('not the name of an input')
  })

  test('whose picture was changed is noticed', async () => {
    const id = await tamper(() => undefined)
    const inputs = path.join(folder, 'inputs')
    writeFileSync(path.join(inputs, readdirSync(inputs)[0]!), 'other')
    await expect((await (await openStudy(folder)).readRun(id)).input()).rejects.toThrow('has been changed')
  })

  test('whose picture was changed gets it back when it is stored again', async () => {
    const id = await tamper(() => undefined)
    const input = path.join(folder, 'inputs', readdirSync(path.join(folder, 'inputs'))[0]!)
    writeFileSync(input, 'PICTURE 1')
    const again = await openStudyForWriting(folder)
    await storeRun(again, 1)
    await again.close()
    expect(readFileSync(input, 'utf8')).toBe('picture 1')
    await expectReadable(id, 1)
  })

  test('with a wrong field is refused, naming file and field', async () => {
    const id = await tamper((m) => (m.order.seed = 'seven'))
    await expect((await openStudy(folder)).readRun(id)).rejects.toThrow(/run\.json cannot be read: order\.seed/)
  })

  test('with frames that do not fit their iterations is refused', async () => {
    const id = await tamper((m) => (m.arrays.frames.iterations = [0, 1]))
    await expect((await (await openStudy(folder)).readRun(id)).frames()).rejects.toThrow('does not belong')
  })

  test.each(['../0001-zebra-neuromask', '..', '/etc'])('a run "%s" is not looked for outside', async (run) => {
    await tamper(() => undefined)
    await expect((await openStudy(folder)).readRun(run)).rejects.toMatchObject({ code: 'usage' })
  })
})
