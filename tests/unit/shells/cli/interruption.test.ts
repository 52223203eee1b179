import { afterEach, expect, test, vi } from 'vitest'
import { watchForInterrupt } from '../../../../src-main/shells/cli/interruption.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('the first interrupt cancels, the second ends the program with 130', async () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
  const before = process.listenerCount('SIGINT')
  const interruption = watchForInterrupt()
  expect(await interruption.race(Promise.resolve(3))).toBe(3)
  const waiting = interruption.race(new Promise(() => undefined))
  process.emit('SIGINT')
  expect(interruption.signal.aborted).toBe(true)
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
  await expect(interruption.race(new Promise(() => undefined))).rejects.toMatchObject({ code: 'cancelled' })
  expect(exit).not.toHaveBeenCalled()
  process.emit('SIGTERM')
  expect(exit).toHaveBeenCalledWith(130)
  interruption.end()
  expect(process.listenerCount('SIGINT')).toBe(before)
})
