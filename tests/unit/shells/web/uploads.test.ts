import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { cleanPath } from '#main/shells/web/uploads.ts'
import { toldBy } from '#main/router/told.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import { startTestServer, type Answer, type TestServer } from './harness.ts'

let server: TestServer
let cookie: string
const group = 'group-0001'
beforeEach(async () => {
  server = await startTestServer({ chunk: 1000, group: 2500, files: 3, groups: 2, idle: 300 })
  cookie = await server.enter()
})
afterEach(() => server.end())

const put = (file: string, offset: number, body: string, name = group): Promise<Answer> =>
  server.ask('POST', `/upload?${new URLSearchParams({ group: name, file, offset: String(offset) })}`, { cookie, body })
const finish = (name = group): Promise<Answer> => server.ask('POST', `/upload?group=${name}&finish=1`, { cookie })

test('a file in pieces becomes one with a handle', async () => {
  expect((await put('labels.txt', 0, 'a'.repeat(1000))).status).toBe(200)
  expect((await put('labels.txt', 1000, 'b'.repeat(10))).status).toBe(200)
  const entry = JSON.parse((await finish()).text) as FileEntry
  expect(entry).toMatchObject({ name: 'labels.txt', kind: 'labels', bytes: 1010 })
  expect(await readFile(server.handles.path(entry.handle), 'utf8')).toBe('a'.repeat(1000) + 'b'.repeat(10))
})

test('files of a folder become a folder', async () => {
  await put('my net/model.json', 0, '{}')
  await put('my net/shards/group1-shard1of1.bin', 0, 'abcd')
  const entry = JSON.parse((await finish()).text) as FileEntry
  expect(entry).toMatchObject({ name: 'my net', kind: 'model', bytes: null })
  expect(await readFile(path.join(server.handles.path(entry.handle), 'shards/group1-shard1of1.bin'), 'utf8')).toBe('abcd')
})

test('what is told of a file names it as it was sent, not where it lies', async () => {
  expect(server.uploads.told('/tmp/maskscope-x/1/a.onnx')).toBe('/tmp/maskscope-x/1/a.onnx')
  await put('net.onnx', 0, 'x')
  const file = server.handles.path((JSON.parse((await finish()).text) as FileEntry).handle)
  expect(server.uploads.told(`${file} is cut off; ${path.join(path.dirname(file), 'net.data')} too.`)).toBe('net.onnx is cut off; net.data too.')
  expect(server.uploads.told(path.dirname(file))).toBe('what was sent from this window')
  expect(server.uploads.told('/models/1/other.onnx is whole.')).toBe('/models/1/other.onnx is whole.')

  const refuse = (error: Error) => toldBy({ call: () => Promise.reject(error) }, server.uploads.told).call()
  await expect(refuse(new MaskscopeError('input', `${file} is no ONNX model.`, { subject: file }))).rejects.toMatchObject({ code: 'input', message: 'net.onnx is no ONNX model.', subject: 'net.onnx' })
  await expect(refuse(new Error(`a bug in ${file}`))).rejects.toThrow(file)
})

describe('refused, and nothing of it is kept:', () => {
  test('other origins and none', async () => {
    for (const headers of [{ origin: 'http://evil.example' }, { origin: '' }, { origin: 'null' }]) {
      const answer = await server.ask('POST', `/upload?group=${group}&file=a.txt&offset=0`, { cookie, body: 'x', headers })
      expect(answer.status).toBe(403)
    }
    expect(await server.kept()).toEqual([])
  })

  test('names that lead elsewhere', async () => {
    for (const file of ['../a.txt', 'a/../../b', '/etc/passwd', 'a//b', 'C:/x', '..\\a', 'a\0b', '', '.', `${'d/'.repeat(20)}x`]) {
      expect((await put(file, 0, 'x')).status, file).toBe(400)
    }
    expect((await put('a.txt', 0, 'x', '../../up')).status).toBe(400)
    expect(await server.kept()).toEqual([])
  })

  test('too large a piece, a group, too many files or groups', async () => {
    expect((await put('a.txt', 0, 'x'.repeat(1001))).status).toBe(413)
    for (const offset of [0, 1000]) await put('a.txt', offset, 'x'.repeat(1000))
    expect((await put('a.txt', 2000, 'x'.repeat(501))).status).toBe(413)
    for (const file of ['a', 'b', 'c']) expect((await put(`f/${file}`, 0, 'x')).status).toBe(200)
    expect((await put('f/d', 0, 'x')).status).toBe(413)
    expect(await server.kept()).toEqual([])
    await put('a', 0, 'x', 'group-0002')
    await put('a', 0, 'x', 'group-0003')
    expect((await put('a', 0, 'x', 'group-0004')).status).toBe(429)
  })

  test('pieces out of order, twice, or none', async () => {
    expect((await put('a.txt', 5, 'x')).status).toBe(409)
    await put('a.txt', 0, 'x')
    expect((await put('a.txt', 0, 'x')).status).toBe(409)
    expect((await finish()).status).toBe(409)
    expect((await put('a.txt', NaN, 'x')).status).toBe(409)
    expect(await server.kept()).toEqual([])
  })

  test('files side by side that are no folder', async () => {
    await put('a.txt', 0, 'x')
    await put('b.txt', 0, 'x')
    expect((await finish()).status).toBe(400)
    expect(await server.kept()).toEqual([])
  })

  test('what is cut off half way', async () => {
    await put('a.txt', 0, 'x')
    const asked = request({
      host: '127.0.0.1', port: server.port, method: 'POST', path: `/upload?group=${group}&file=a.txt&offset=1`,
      headers: { host: `127.0.0.1:${server.port}`, origin: `http://127.0.0.1:${server.port}`, cookie, 'content-length': '900' },
    })
    asked.on('error', () => undefined)
    asked.write('half')
    await vi.waitFor(async () => expect(await server.kept()).toEqual(['a.txt']))
    await new Promise((resolve) => setTimeout(resolve, 50))
    asked.destroy()
    await vi.waitFor(async () => expect(await server.kept()).toEqual([]))
    expect((await finish()).status).toBe(409)
    expect(server.log).toEqual([])
  })

  test('what is given up, by word or by silence', async () => {
    await put('a.txt', 0, 'x')
    await server.ask('POST', `/upload?group=${group}&abandon=1`, { cookie })
    expect(await server.kept()).toEqual([])
    await put('a.txt', 0, 'x')
    expect(await server.kept()).toEqual(['a.txt'])
    await vi.waitFor(async () => expect(await server.kept()).toEqual([]), 2000)
  })
})

test('names are made safe for every system', () => {
  expect(cleanPath('a b/Ünï.png')).toBe(path.join('a b', 'Ünï.png'))
  expect(cleanPath('CON/x<y>.png')).toBe(path.join('file-CON', 'x-y-.png'))
  expect(cleanPath('.hidden')).toBe('hidden')
})
