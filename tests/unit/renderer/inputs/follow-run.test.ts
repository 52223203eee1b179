// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { expect, test } from 'vitest'
import { followSelectedRun, registerRunCommands, runAgain } from '#renderer/components/inputs/run-actions.ts'
import { useCommands } from '#renderer/stores/commands.ts'
import { useImages } from '#renderer/stores/images.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { useRuns } from '#renderer/stores/runs.ts'
import { beginStores, openBoth } from '../mount.ts'
import { openImage, openModel, runRow } from '../samples.ts'

const study = { name: 'pets', place: '/studies/pets' }
const opened = { model: openModel(), image: openImage({ image: 'again' }), message: null }

test('a window that is loaded anew opens the model and the image of the run it shows', async () => {
  const client = await beginStores({ 'runs.reopen': () => opened })
  followSelectedRun()
  useRuns().hear({ type: 'snapshot', study, rows: [runRow({ run: '0003-ball-neuromask', seed: 9 })] })
  await flushPromises()
  expect(client.inputsOf('runs.reopen')).toEqual([{ run: '0003-ball-neuromask' }])
  expect(useModels().current?.model).toBe(opened.model.model)
  expect(useImages().current?.image).toBe('again')
  expect(useOrder().seed).toBe(9)
  expect(useRuns().selected).toBe('0003-ball-neuromask')
})

test('what is open stays', async () => {
  const client = await beginStores({ 'runs.reopen': () => opened })
  await openBoth()
  followSelectedRun()
  useRuns().hear({ type: 'snapshot', study, rows: [runRow()] })
  await flushPromises()
  expect(client.inputsOf('runs.reopen')).toEqual([])
})

test('a picture that is gone leaves the window empty, without complaint', async () => {
  await beginStores({ 'runs.reopen': () => Promise.reject(new Error('gone')) })
  followSelectedRun()
  useRuns().hear({ type: 'snapshot', study, rows: [runRow()] })
  await flushPromises()
  expect(useImages().current).toBeNull()
  expect(useNotices().notices).toEqual([])
})

test('no run begins while the values of the one that is made again are on their way', async () => {
  const answers: ((answer: typeof opened) => void)[] = []
  const client = await beginStores({ 'runs.reopen': () => new Promise<typeof opened>((resolve) => answers.push(resolve)), 'runs.submit': () => ({ run: '0002-ball-neuromask' }) })
  registerRunCommands()
  await openBoth()
  useRuns().hear({ type: 'snapshot', study, rows: [runRow({ seed: 9 })] })
  const again = runAgain(runRow().run)
  await flushPromises()
  expect(useOrder().awaited).toBe(true)
  await useCommands().run('run')
  expect(client.inputsOf('runs.submit')).toEqual([])
  answers.forEach((answer) => answer(opened))
  await again
  expect(useOrder().awaited).toBe(false)
  await useCommands().run('run')
  expect(client.inputsOf('runs.submit')).toMatchObject([{ seed: 9 }])
})
