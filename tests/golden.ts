import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'

const folder = path.join(import.meta.dirname, 'fixtures', 'golden')

/**
 * Compares text with tests/fixtures/golden/NAME, numbers rounded to 3 decimals. What differs is written beside it as
 * NAME-changed (before the extension): look at it, and where it is right, let it replace the golden file.
 */
export function expectGolden(name: string, text: string): void {
  const file = path.join(folder, name)
  const extension = path.extname(name)
  const changed = path.join(folder, `${name.slice(0, -extension.length)}-changed${extension}`)
  const actual = roundNumbers(text)
  const golden = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (actual === golden) {
    rmSync(changed, { force: true })
    return
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(changed, actual)
  expect(actual, `${name} differs; see ${path.relative(process.cwd(), changed)}`).toBe(golden)
}

/** So that the last bits of another machine's arithmetic do not matter. */
export function roundNumbers(text: string): string {
  return text.replace(/-?\d+\.\d{4,}(e[-+]?\d+)?/g, (number) => String(Math.round(Number(number) * 1000) / 1000 || 0))
}
