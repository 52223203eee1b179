import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodePng } from '#services/images.ts'
import { createFiles, nodeOperations } from '#storage/files.ts'
import { openDesk, watchRuns, watchShell, type DeskClient, type TestDesk } from '../fixtures/desk.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-desk-refusals-'))
let at: TestDesk
let client: DeskClient
let counter = 0

beforeAll(async () => {
  at = await openDesk({ folder })
  client = at.connect()
})
afterAll(async () => {
  await at.end()
  rmSync(folder, { recursive: true, force: true })
})

async function give(file: string): Promise<{ file: string }> {
  return { file: (await at.desk.handles.give(file)).handle }
}

async function modelFrom(change: (folder: string) => void = () => undefined): Promise<{ file: string }> {
  const own = path.join(folder, `model-${counter++}`)
  writeTinyModel(own, { card: tinyCard })
  change(own)
  return give(own)
}

async function order(parameters: Record<string, number | string> = { iterations: 2 }) {
  const model = await client.call('models.open', { from: { bundled: 'demo' }, stated: {} })
  if (model.state !== 'open') throw new Error(model.message)
  const [image] = await client.call('images.open', { from: { scene: 'scene:2000001' } })
  return { model: model.model, image: image!.image, method: 'neuromask', parameters, seed: 0, target: 'auto' as const }
}

describe('refused, each at its field', () => {
  test('a damaged image', async () => {
    const file = path.join(folder, 'cut.png')
    const png = await encodePng({ width: 40, height: 40, data: Uint8Array.from({ length: 4800 }, (_, i) => (i * 37) % 251) })
    writeFileSync(file, png.subarray(0, png.length / 2))
    await expect(client.call('images.open', { from: await give(file) })).rejects.toMatchObject({ code: 'input', subject: 'image', message: expect.stringMatching(/cut\.png is damaged or cut off/) as string })
    await expect(client.call('images.open', { from: { name: 'x.png', bytes: new Uint8Array(10) } })).rejects.toMatchObject({ code: 'input', subject: 'image' })
  })

  test('models: another number of labels than classes, weights that are no numbers, a network that takes no image', async () => {
    const labels = path.join(folder, 'labels.txt')
    writeFileSync(labels, 'a\nb\n')
    await expect(client.call('models.open', { from: await modelFrom(), stated: { labels: (await give(labels)).file } }))
      .rejects.toMatchObject({ code: 'input', subject: 'labels', message: expect.stringMatching(/There are 2 labels for 4 classes/) as string })
    const poisoned = await modelFrom((own) => {
      const file = path.join(own, 'model-shard1of1.bin')
      const bytes = readFileSync(file)
      bytes.writeFloatLE(Number.NaN, 40)
      writeFileSync(file, bytes)
    })
    await expect(client.call('models.open', { from: poisoned, stated: {} })).rejects.toMatchObject({ subject: 'model', message: expect.stringMatching(/conv\/kernel/) as string })
    const flat = await modelFrom((own) => {
      const file = path.join(own, 'model.json')
      const json = JSON.parse(readFileSync(file, 'utf8')) as { modelTopology: { model_config: { config: { layers: { config: Record<string, unknown> }[] } } }; weightsManifest: { weights: unknown[] }[] }
      const { layers } = json.modelTopology.model_config.config
      layers.splice(1, 2)
      layers[0]!.config['batch_input_shape'] = [null, 6]
      json.weightsManifest[0]!.weights.splice(0, 2)
      writeFileSync(file, JSON.stringify(json))
      writeFileSync(path.join(own, 'model-shard1of1.bin'), new Uint8Array((6 * 4 + 4) * 4))
    })
    await expect(client.call('models.open', { from: flat, stated: {} })).rejects.toMatchObject({ subject: 'model' })
  })

  test('orders: parameters, target, seed, method; nothing is queued or written then', async () => {
    const good = await order()
    const refused = async (change: object, subject: string): Promise<void> => {
      await expect(client.call('runs.submit', { ...good, ...change })).rejects.toMatchObject({ code: 'usage', subject })
    }
    await refused({ parameters: { iterations: 0 } }, 'iterations')
    await refused({ parameters: { 'sparsity-weight': 'much' } }, 'sparsity-weight')
    await refused({ parameters: { speed: 3 } }, 'speed')
    await refused({ parameters: { preset: 'best' } }, 'preset')
    await refused({ target: 10 }, 'target')
    await refused({ method: 'magic' }, 'method')
    await refused({ model: 'x' }, 'model')
    await refused({ image: 'x' }, 'image')
    // What is no number is not even heard.
    await expect(client.call('runs.submit', { ...good, parameters: { 'sparsity-weight': Number.NaN } })).rejects.toMatchObject({ code: 'usage' })
    await expect(client.call('runs.submit', { ...good, seed: -1 })).rejects.toMatchObject({ code: 'usage' })
    expect(readdirSync(folder)).not.toContain('studies')
  })

  test('names that were not given out; folders outside the roots; runs that are not', async () => {
    for (const name of ['x', '/etc/passwd', path.join(folder, 'cut.png')]) {
      await expect(client.call('images.open', { from: { file: name } })).rejects.toMatchObject({ code: 'usage' })
      await expect(client.call('models.open', { from: { file: name }, stated: {} })).rejects.toMatchObject({ code: 'usage' })
      await expect(client.call('studies.open', { study: name })).rejects.toMatchObject({ code: 'usage' })
      await expect(client.call('files.browse', { folder: name })).rejects.toMatchObject({ code: 'usage' })
      await expect(client.call('runs.read', { run: name })).rejects.toMatchObject({ code: 'usage', subject: 'run' })
    }
    const above = (await give(path.dirname(folder))).file
    await expect(client.call('files.browse', { folder: above })).rejects.toMatchObject({ code: 'usage', subject: 'folder' })
    const { entries } = await client.call('files.browse', { folder: null })
    expect(entries.map((entry) => entry.name)).toEqual([path.basename(folder)])
    await expect(client.call('files.choose', { purpose: 'image' })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('studies: no study, a name that is taken, none at all', async () => {
    const empty = path.join(folder, 'empty')
    mkdirSync(empty)
    await expect(client.call('studies.open', { study: (await give(empty)).file })).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/is not a study/) as string })
    mkdirSync(path.join(folder, 'studies', 'Taken'), { recursive: true })
    await expect(client.call('studies.create', { name: 'Taken' })).rejects.toMatchObject({ code: 'usage', subject: 'name' })
    await expect(client.call('studies.create', { name: '  ' })).rejects.toMatchObject({ code: 'usage', subject: 'name' })
  })
})

describe('a run that fails', () => {
  test('shows why in its row, and the next one works', async () => {
    const watched = watchRuns(client)
    const good = await order()
    const { model } = (await client.call('models.open', { from: { bundled: 'demo-judge' }, stated: {} })) as { model: string }
    const [pasted] = await client.call('images.open', { from: { name: 'x.png', bytes: Uint8Array.from(await encodePng({ width: 8, height: 8, data: new Uint8Array(192) })) } })
    const file = path.join(folder, 'soon-gone.png')
    writeFileSync(file, await encodePng({ width: 9, height: 9, data: new Uint8Array(243) }))
    const [gone] = await client.call('images.open', { from: await give(file) })
    rmSync(file)
    const { run: failing } = await client.call('runs.submit', { ...good, image: gone!.image })
    const { run: fine } = await client.call('runs.submit', { ...good, model, image: pasted!.image })
    expect(await watched.ended(failing)).toMatchObject({ state: 'failed', error: { code: 'input', message: expect.stringMatching(/soon-gone\.png does not exist/) as string } })
    expect(await watched.ended(fine)).toMatchObject({ state: 'finished', image: { name: 'pasted-image.png', kind: 'file' }, model: { name: 'demo-judge' } })
    const again = watchRuns(client)
    await again.until(() => again.rows.size === 2)
    expect(again.rows.get(failing)).toMatchObject({ state: 'failed', error: { code: 'input' } })
    watched.end()
    again.end()
  })
})

describe('what was kept badly', () => {
  test('damaged settings: the usual ones hold, the person is told once', async () => {
    const own = path.join(folder, 'damaged')
    mkdirSync(path.join(own, 'settings'), { recursive: true })
    writeFileSync(path.join(own, 'settings', 'settings.json'), '{"settings": {"theme": "neon"')
    const other = await openDesk({ folder: own })
    try {
      const one = other.connect()
      expect(await one.call('settings.get', {})).toMatchObject({ theme: 'system' })
      const events = watchShell(one)
      const later = watchShell(other.connect())
      expect(await one.call('settings.change', { theme: 'dark' })).toMatchObject({ theme: 'dark' })
      expect(events).toEqual([{ type: 'notice', level: 'error', message: expect.stringMatching(/damaged.*kept as .*settings\.damaged\.json/) as string }])
      expect(later).toEqual([])
    } finally {
      await other.end()
    }
    expect(JSON.parse(readFileSync(path.join(own, 'settings', 'settings.json'), 'utf8'))).toMatchObject({ settings: { theme: 'dark' } })
  })

  test('a full disk: the run fails and says so; what is in memory still answers', async () => {
    let full = false
    const files = createFiles({
      ...nodeOperations,
      open: (async (...args: Parameters<typeof nodeOperations.open>) => {
        if (full && args[1] === 'wx') throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })
        return nodeOperations.open(...args)
      }) as typeof nodeOperations.open,
    })
    const other = await openDesk({ folder: path.join(folder, 'full'), workbench: { backend: 'wasm', jobs: 1, files } })
    try {
      const one = other.connect()
      const watched = watchRuns(one)
      const { model } = (await one.call('models.open', { from: { bundled: 'demo' }, stated: {} })) as { model: string }
      const [image] = await one.call('images.open', { from: { scene: 'scene:2000001' } })
      const wanted = { model, image: image!.image, method: 'neuromask', parameters: { iterations: 2 }, seed: 0, target: 'auto' as const }
      const first = await one.call('runs.submit', wanted)
      expect(await watched.ended(first.run)).toMatchObject({ state: 'finished' })
      full = true
      const second = await one.call('runs.submit', wanted)
      expect(await watched.ended(second.run)).toMatchObject({ state: 'failed', error: { code: 'storage', message: expect.stringMatching(/disk is full/) as string } })
      expect((await one.call('runs.course', first)).iterations).toHaveLength(3)
      full = false
      const third = await one.call('runs.submit', wanted)
      expect(await watched.ended(third.run)).toMatchObject({ state: 'finished' })
    } finally {
      await other.end()
    }
  })

  test('the study of the last session is opened again; where it is being written elsewhere, a new one is', async () => {
    const own = path.join(folder, 'twice')
    const first = await openDesk({ folder: own })
    const one = first.connect()
    const watched = watchRuns(one)
    const { model } = (await one.call('models.open', { from: { bundled: 'demo' }, stated: {} })) as { model: string }
    const [image] = await one.call('images.open', { from: { scene: 'scene:2000001' } })
    await one.call('studies.create', { name: 'Kept' })
    const { run } = await one.call('runs.submit', { model, image: image!.image, method: 'neuromask', parameters: { iterations: 2 }, seed: 0, target: 'auto' })
    await watched.ended(run)
    // The first still holds the lock.
    const second = await openDesk({ folder: own })
    try {
      const events = watchShell(second.connect())
      const table = watchRuns(second.connect())
      await table.until(() => table.events.length > 0 && events.length > 0)
      expect(table.events[0]).toMatchObject({ type: 'snapshot', rows: [], study: { name: expect.stringMatching(/^Untitled/) } })
      expect(events).toMatchObject([{ type: 'notice', level: 'error', message: expect.stringMatching(/is being written by another Maskscope.* A new study was opened instead/) }])
    } finally {
      await second.end()
      await first.end()
    }
    const third = await openDesk({ folder: own })
    const table = watchRuns(third.connect())
    await table.until(() => table.events.length > 0)
    expect(table.events[0]).toMatchObject({ type: 'snapshot', study: { name: 'Kept' }, rows: [{ run, state: 'finished' }] })
    await third.end()
  })
})
