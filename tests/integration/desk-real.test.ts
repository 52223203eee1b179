import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import { openDesk, watchRuns } from '../fixtures/desk.ts'
import { dataPath, dataTest } from '../data.ts'

dataTest('a pretrained network without a card, a folder of photos, a run, and its model and image opened again', async () => {
  const at = await openDesk()
  try {
    const client = at.connect()
    const watched = watchRuns(client)
    const give = async (...names: string[]): Promise<string> => (await at.desk.handles.give(dataPath(...names))).handle
    const from = { file: await give('models', 'imagenet', 'mobilenet_v1_0.25_128', 'graph') }
    expect(await client.call('models.open', { from, stated: {} })).toMatchObject({ state: 'incomplete', name: 'mobilenet_v1_0.25_128/graph', missing: ['range'] })
    const stated = { range: [-1, 1] as [number, number], labels: await give('models', 'imagenet', 'labels1001.txt') }
    const model = await client.call('models.open', { from, stated })
    if (model.state !== 'open') throw new Error(model.message)
    expect(model).toMatchObject({ cardless: true, stated, info: { classes: 1001, access: 'gradient' } })

    const images = await client.call('images.open', { from: { file: await give('photos') } })
    expect(images).toHaveLength(readdirSync(dataPath('photos')).filter((name) => /\.(jpe?g|png)$/i.test(name)).length)
    const image = images[0]!
    const { top } = await client.call('images.classify', { model: model.model, image: image.image, top: 5 })
    const { run } = await client.call('runs.submit', { model: model.model, image: image.image, method: 'neuromask', parameters: { iterations: 3 }, seed: 0, target: top[1]!.index })
    expect(await watched.ended(run)).toMatchObject({ state: 'finished', target: { index: top[1]!.index, label: top[1]!.label }, image: { name: image.name } })
    const { command } = await client.call('runs.command', { run })
    expect(command).toContain(`--range -1,1 --labels ${dataPath('models', 'imagenet', 'labels1001.txt')} --target ${top[1]!.index}`)
    const again = await client.call('runs.reopen', { run })
    expect(again).toMatchObject({ message: null, image: { name: image.name, width: image.width }, model: { model: model.model, stated } })
    expect(at.logged).toEqual([])
  } finally {
    await at.end()
  }
})
