import { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { watchErrors } from '#main/shells/electron/errors.ts'
import { createLog } from '#main/shells/electron/log.ts'
import { createShellEvents } from '#main/shells/shell-events.ts'
import { fakeLog } from './electron-stub.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('security 16: errors that nobody caught', () => {
  test.each(['uncaughtException', 'unhandledRejection'])('%s is logged each time and told once', (name) => {
    const emitter = new EventEmitter()
    const log = fakeLog()
    const tell = vi.fn()
    watchErrors(log, tell, emitter)
    emitter.emit(name, new Error('out of paper'))
    emitter.emit(name, new Error('out of paper'))
    emitter.emit(name, 'a word')
    expect(log.error).toHaveBeenCalledTimes(3)
    expect(tell).toHaveBeenCalledTimes(2)
    expect(tell.mock.calls[0]![0]).toMatchObject({ type: 'notice', level: 'error', message: expect.stringContaining('out of paper') as string })
  })

  test('a flood does not bury the window', () => {
    const emitter = new EventEmitter()
    const tell = vi.fn()
    watchErrors(fakeLog(), tell, emitter)
    for (let i = 0; i < 1000; i++) emitter.emit('uncaughtException', new Error(`number ${i}`))
    expect(tell).toHaveBeenCalledTimes(20)
  })

  test('the log holds the error with its stack, as a line of JSON', () => {
    createLog(folder).error('uncaught exception', { error: new Error('out of paper') })
    const line = JSON.parse(readFileSync(path.join(folder, 'maskscope.log'), 'utf8')) as { level: number; msg: string; error: { message: string; stack: string } }
    expect(line).toMatchObject({ level: 50, msg: 'uncaught exception', error: { message: 'out of paper' } })
    expect(line.error.stack).toContain('errors.test.ts')
  })

  test('a long log is put aside, and a folder that cannot be written stops nothing', () => {
    writeFileSync(path.join(folder, 'maskscope.log'), Buffer.alloc((4 << 20) + 1))
    createLog(folder).info('begun')
    expect(readFileSync(path.join(folder, 'maskscope.log'), 'utf8')).toContain('begun')
    expect(readFileSync(path.join(folder, 'maskscope.old.log')).length).toBe((4 << 20) + 1)
    writeFileSync(path.join(folder, 'file'), '')
    expect(() => createLog(path.join(folder, 'file', 'logs'))).not.toThrow()
    mkdirSync(path.join(folder, 'odd', 'maskscope.log'), { recursive: true })
    expect(() => createLog(path.join(folder, 'odd'))).not.toThrow()
  })
})

describe('what the shell tells the window', () => {
  const notice = (message: string) => ({ type: 'notice', level: 'info', message }) as const

  test('waits for the first who listens, and comes to all who do', () => {
    const events = createShellEvents()
    events.emit(notice('early'))
    const first = vi.fn()
    const second = vi.fn()
    const end = events.subscribe(first)
    events.subscribe(second)
    expect(first.mock.calls).toEqual([[notice('early')]])
    events.emit(notice('later'))
    expect(second.mock.calls).toEqual([[notice('later')]])
    end()
    events.emit(notice('last'))
    expect(first).toHaveBeenCalledTimes(2)
    expect(second).toHaveBeenCalledTimes(2)
  })

  test('is kept again while the window reloads, a hundred at most', () => {
    const events = createShellEvents()
    events.subscribe(vi.fn())()
    for (let i = 0; i < 150; i++) events.emit(notice(String(i)))
    const next = vi.fn()
    events.subscribe(next)
    expect(next).toHaveBeenCalledTimes(100)
    expect(next).toHaveBeenLastCalledWith(notice('149'))
  })
})
