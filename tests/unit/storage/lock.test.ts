import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isLocked, takeLock } from '#storage/lock.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'maskscope-lock-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lockPath = (): string => path.join(folder, '.writer-lock')

function writeLock(content: Record<string, unknown>): void {
  writeFileSync(lockPath(), JSON.stringify({ nonce: 'other', host: hostname(), pid: 1, started: null, ...content }))
}

test('one writer at a time; the lock comes back with release and leaves nothing', async () => {
  const lock = await takeLock(folder)
  expect(await isLocked(folder)).toBe(true)
  await expect(takeLock(folder)).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining(`process ${process.pid}`) as string })
  await lock.release()
  expect(await isLocked(folder)).toBe(false)
  expect(readdirSync(folder)).toEqual([])
  await (await takeLock(folder)).release()
})

test('a living process keeps it, a killed one does not', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  writeLock({ pid: child.pid })
  expect(await isLocked(folder)).toBe(true)
  await expect(takeLock(folder)).rejects.toThrow('another Maskscope')
  const ended = new Promise((resolve) => child.on('exit', resolve))
  child.kill('SIGKILL')
  await ended
  expect(await isLocked(folder)).toBe(false)
  await (await takeLock(folder)).release()
})

test.skipIf(process.platform !== 'linux')('a process that got the number of a dead one does not keep its lock', async () => {
  writeLock({ pid: process.pid, started: 'another boot/12345' })
  await (await takeLock(folder)).release()
})

test('what a crash left unreadable is nobody\'s', async () => {
  writeFileSync(lockPath(), '{"nonce": "a')
  await (await takeLock(folder)).release()
})

test('the lock of another computer is alive while it is touched', async () => {
  writeLock({ host: 'elsewhere' })
  await expect(takeLock(folder)).rejects.toThrow('on elsewhere')
  const old = new Date(Date.now() - 3_600_000)
  utimesSync(lockPath(), old, old)
  await (await takeLock(folder)).release()
})

test('of many that find a dead lock at once, exactly one takes it', async () => {
  for (let round = 0; round < 4; round++) {
    const dead = spawnSync(process.execPath, ['-e', ''])
    writeLock({ pid: dead.pid, nonce: `dead-${round}` })
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(folder)))
    const taken = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
    expect(taken).toHaveLength(1)
    await taken[0]!.release()
  }
})

test('a process that ends without releasing takes its lock along', () => {
  const script = `import { takeLock } from ${JSON.stringify(path.resolve('src-main/storage/lock.ts'))}; await takeLock(${JSON.stringify(folder)}); console.log((await import('node:fs')).existsSync(${JSON.stringify(lockPath())})); process.exit(0)`
  const file = path.join(folder, 'take.mts')
  writeFileSync(file, script)
  const result = spawnSync(process.execPath, ['--import', 'tsx', file], { encoding: 'utf8' })
  expect(result.stdout.trim()).toBe('true')
  expect(existsSync(lockPath())).toBe(false)
})

test('a lock that another has taken over is not removed by the old holder', async () => {
  const lock = await takeLock(folder)
  writeLock({ nonce: 'theirs', pid: process.pid })
  await lock.release()
  expect(readFileSync(lockPath(), 'utf8')).toContain('theirs')
})

test('a folder that cannot be written is named', async () => {
  await expect(takeLock(path.join(folder, 'missing'))).rejects.toMatchObject({ code: 'storage', subject: path.join(folder, 'missing') })
})
