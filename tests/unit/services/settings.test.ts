import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSettings } from '#services/settings.ts'
import { defaultSettings } from '#shared/domain/settings.ts'
import { createFiles, nodeOperations } from '#storage/files.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-settings-'))
  file = path.join(folder, 'below', 'settings.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(text: string): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}

test('without a file the usual ones hold and nothing is written or said', async () => {
  const store = await openSettings(file)
  expect([store.get(), store.notice]).toEqual([defaultSettings, null])
  expect(readdirSync(folder)).toEqual([])
})

test('changes and what was opened are there in the next session', async () => {
  const store = await openSettings(file)
  expect(store.change({ theme: 'dark', method: undefined }).theme).toBe('dark')
  for (let i = 0; i < 15; i++) store.remember('images', `/pictures/${i}.png`)
  store.remember('images', '/pictures/9.png')
  await store.flush()
  const again = await openSettings(file)
  expect(again.get()).toEqual({ ...defaultSettings, theme: 'dark' })
  expect(again.recent('images')).toEqual([9, 14, 13, 12, 11, 10, 8, 7, 6, 5, 4, 3].map((i) => `/pictures/${i}.png`))
  expect(again.notice).toBeNull()
  expect(readdirSync(path.dirname(file))).toEqual(['settings.json'])
})

test.each(['', 'null', '[]', '{"settings": {"theme": "dark"', '\u0000\u0001'])('a damaged file is kept, told once, and the usual ones hold: %j', async (text) => {
  write(text)
  const store = await openSettings(file)
  expect(store.get()).toEqual(defaultSettings)
  expect(store.notice).toMatch(/damaged.*kept as .*settings\.damaged\.json/)
  expect(readFileSync(path.join(path.dirname(file), 'settings.damaged.json'), 'utf8')).toBe(text)
})

test('field by field: what is right stays', async () => {
  write(JSON.stringify({
    settings: { theme: 'neon', logScale: false, layout: { left: 300, right: -1 }, stage: { opacity: 0.5, shown: [true], colormap: 'magma' }, gone: 1 }, recent: { models: ['/m', 3], images: 'x' },
  }))
  const store = await openSettings(file)
  expect(store.get()).toEqual({
    ...defaultSettings, logScale: false, layout: { ...defaultSettings.layout, left: 300 }, stage: { ...defaultSettings.stage, opacity: 0.5, colormap: 'magma' },
  })
  expect(store.recent('models')).toEqual(['/m'])
  expect(store.notice).toMatch(/\(theme, layout\.right, stage\.shown\)/)
})

test('a disk that cannot be written: they hold for this session, and it is said once', async () => {
  const problems: string[] = []
  const fail = (): never => {
    throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })
  }
  const store = await openSettings(file, { files: createFiles({ ...nodeOperations, open: fail }), onProblem: (message) => void problems.push(message) })
  store.change({ theme: 'light' })
  await store.flush()
  store.change({ theme: 'dark' })
  await store.flush()
  expect(store.get().theme).toBe('dark')
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(/not kept after this session\. .*disk is full/)
})
