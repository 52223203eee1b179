import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isWorker, utilityLauncher } from '#main/shells/electron/engine-launch.ts'
import { createPool } from '#pool/pool.ts'
import type { Death } from '#pool/wire.ts'
import { app, children, resetElectron, utilityProcess } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
beforeEach(() => {
  resetElectron()
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

async function dying(happen: () => void): Promise<Death> {
  const wire = utilityLauncher('/out/main/worker.js')()
  const death = new Promise<Death>((resolve) => wire.onDeath(resolve))
  happen()
  await vi.advanceTimersByTimeAsync(200)
  return death
}

describe('security 14: engine workers of the desktop program', () => {
  test('are utility processes with a name, no options of Node and a scrubbed environment', () => {
    vi.stubEnv('NODE_OPTIONS', '--require /tmp/evil.js')
    vi.stubEnv('LD_PRELOAD', '/tmp/evil.so')
    vi.stubEnv('ELECTRON_RUN_AS_NODE', '1')
    vi.stubEnv('SOME_TOKEN', 'secret')
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '0')
    const launch = utilityLauncher('/out/main/worker.js')
    launch()
    launch()
    const [file, given, options] = utilityProcess.fork.mock.calls[0] as [string, string[], { env: Record<string, string>; serviceName: string; execArgv: string[]; stdio: string[] }]
    expect([file, given]).toEqual(['/out/main/worker.js', []])
    expect(options.execArgv).toEqual([])
    expect(options.stdio).toEqual(['ignore', 'ignore', 'pipe'])
    expect(options.serviceName).toBe('Maskscope engine 1')
    expect(options.env['PATH']).toBe(process.env['PATH'])
    expect(options.env['CUDA_VISIBLE_DEVICES']).toBe('0')
    for (const name of ['NODE_OPTIONS', 'LD_PRELOAD', 'ELECTRON_RUN_AS_NODE', 'SOME_TOKEN']) expect(options.env).not.toHaveProperty(name)
    expect(utilityProcess.fork.mock.calls[1]![2]).toMatchObject({ serviceName: 'Maskscope engine 2' })
    expect(isWorker('Maskscope engine 2')).toBe(true)
    expect(isWorker('Network Service')).toBe(false)
  })

  test('carry messages both ways, cloned and never transferred', () => {
    const wire = utilityLauncher('/w.js')()
    const child = children[0]!
    const replies: unknown[] = []
    wire.onReply((reply) => replies.push(reply))
    wire.send({ type: 'diagnose', id: 1 })
    expect(child.postMessage.mock.calls).toEqual([[{ type: 'diagnose', id: 1 }]])
    child.emit('message', { type: 'diagnosis', id: 1, backends: [] })
    expect(replies).toEqual([{ type: 'diagnosis', id: 1, backends: [] }])
    child.emit('exit', 1)
    wire.send({ type: 'diagnose', id: 2 })
    expect(child.postMessage).toHaveBeenCalledOnce()
  })

  test('that end say with what code and with their last words, those that come late too', async () => {
    const death = await dying(() => {
      children[0]!.emit('exit', 134)
      children[0]!.stderr.emit('data', Buffer.from(`${'x'.repeat(10_000)}\nError: the end\n`))
    })
    expect(death).toMatchObject({ code: 134, signal: null })
    expect(death.lastWords).toHaveLength(8192)
    expect(death.lastWords).toContain('Error: the end')
  })

  test.each([
    ['oom', 'out of memory'],
    ['launch-failed', 'could not be launched'],
  ])('that are gone by %s say so', async (reason, words) => {
    const death = await dying(() => {
      children[0]!.emit('exit', 5)
      app.emit('child-process-gone', {}, { type: 'Utility', name: 'Maskscope engine 1', reason, exitCode: 5 })
      app.emit('child-process-gone', {}, { type: 'Utility', name: 'Network Service', reason: 'integrity-failure', exitCode: 1 })
    })
    expect(death.lastWords).toContain(words)
    expect(death.lastWords).not.toContain('integrity')
  })

  test('a fatal error of V8 is among the last words', async () => {
    const death = await dying(() => {
      children[0]!.emit('error', 'FatalError', 'v8::Heap', '{}')
      children[0]!.emit('exit', 6)
    })
    expect(death.lastWords).toContain('FatalError at v8::Heap')
  })

  test('are ended at once, by force, and then it was our doing', async () => {
    const wire = utilityLauncher('/w.js')()
    const death = new Promise<Death>((resolve) => wire.onDeath(resolve))
    children[0]!.pid = 4_000_000
    wire.kill()
    expect(children[0]!.kill).toHaveBeenCalledOnce()
    expect(kill).toHaveBeenCalledExactlyOnceWith(4_000_000, 'SIGKILL')
    children[0]!.emit('exit', 9)
    await vi.advanceTimersByTimeAsync(200)
    expect(await death).toMatchObject({ code: null, signal: 'SIGKILL' })
    kill.mockImplementationOnce(() => {
      throw new Error('ESRCH')
    })
    expect(() => wire.kill()).not.toThrow()
  })
})

test('security 14: the pool fails a run whose utility process dies, and starts another', async () => {
  vi.useRealTimers()
  const pool = createPool({ launch: utilityLauncher('/w.js'), jobs: 1 })
  const first = pool.backend()
  children[0]!.stderr.emit('data', Buffer.from('Error: bus error\n'))
  children[0]!.emit('exit', 7)
  await vi.waitFor(() => expect(children).toHaveLength(2), { timeout: 3000 })
  const start = children[1]!.postMessage.mock.calls[0]![0] as { id: number }
  children[1]!.emit('message', { type: 'ready', id: start.id, backend: { id: 'cpu', device: 'test', rejected: [] }, versions: { tfjs: '4' } })
  expect(await first).toMatchObject({ id: 'cpu' })
  const failing = pool.diagnose()
  await vi.waitFor(() => expect(children[1]!.postMessage.mock.calls.at(-1)![0]).toMatchObject({ type: 'diagnose' }))
  children[1]!.emit('exit', 7)
  await expect(failing).rejects.toMatchObject({ code: 'worker', message: expect.stringContaining('ended with code 7') as string })
  await pool.dispose()
})
