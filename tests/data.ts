import { existsSync } from 'node:fs'
import path from 'node:path'
import { test } from 'vitest'

const root = process.env['MASKSCOPE_DATA']

/** True where MASKSCOPE_DATA points at a folder that exists. */
export const hasData = root !== undefined && root !== '' && existsSync(root)

/** Path of a real input below MASKSCOPE_DATA. */
export function dataPath(...parts: string[]): string {
  return path.resolve(root ?? 'no-data', ...parts)
}

/** A test on real data: its name says so, and without the data it is skipped and counted by the reporter. */
export function dataTest(name: string, fn: () => Promise<void> | void, timeout?: number): void {
  test.skipIf(!hasData)(`[data] ${name}`, fn, timeout)
}
