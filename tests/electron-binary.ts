import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'vitest'
import { root } from '../scripts/build/ensure-built.js'

/** Electron's program as npm holds it, or undefined. The package itself is not loaded: that would fetch the binary. */
export function findElectron(): string | undefined {
  const folder = path.join(root, 'node_modules', 'electron')
  const note = path.join(folder, 'path.txt')
  if (!existsSync(note)) return undefined
  const file = path.join(folder, 'dist', readFileSync(note, 'utf8').trim())
  return existsSync(file) ? file : undefined
}

/** A test in real Electron: its name says so, and without the binary it is skipped and counted by the reporter. */
export function electronTest(name: string, fn: () => Promise<void>, timeout?: number): void {
  test.skipIf(findElectron() === undefined)(`[electron] ${name}`, fn, timeout)
}
