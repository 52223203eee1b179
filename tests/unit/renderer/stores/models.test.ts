// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test } from 'vitest'
import { useClient } from '#renderer/rpc.ts'
import { useModels } from '#renderer/stores/models.ts'
import { fakeClient, type FakeClient } from '../fake-client.ts'

let client: FakeClient

beforeEach(() => {
  setActivePinia(createPinia())
  client = fakeClient({
    'models.open': ({ from, stated }) => ({
      state: 'incomplete', file: 'file' in from ? from.file : from.bundled, name: 'm', stated, missing: ['range'], message: 'Say its range.',
    }),
  })
  useClient(client)
})

test('facts stated in quick succession add up, before the first is answered', async () => {
  const models = useModels()
  await models.open({ file: 'a' })
  await Promise.all([models.state({ range: [-1, 1] }), models.state({ fit: 'crop' }), models.state({ labels: 'l' })])
  expect(client.inputsOf('models.open').at(-1)).toEqual({ from: { file: 'a' }, stated: { range: [-1, 1], fit: 'crop', labels: 'l' } })
  expect(models.stated).toEqual({ range: [-1, 1], fit: 'crop', labels: 'l' })
})

test('a fact stated while another model is on its way does not bring the one before back', async () => {
  const models = useModels()
  await models.open({ file: 'a' })
  await Promise.all([models.open({ file: 'b' }), models.state({ fit: 'crop' })])
  expect(models.incomplete?.file).toBe('b')
  expect(models.stated).toEqual({})
  await models.state({ fit: 'crop' })
  expect(client.inputsOf('models.open').at(-1)).toEqual({ from: { file: 'b' }, stated: { fit: 'crop' } })
})
