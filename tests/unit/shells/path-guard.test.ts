import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { safePath } from '#main/shells/path-guard.ts'

let folder: string
let root: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-guard-'))
  root = path.join(folder, 'renderer')
  mkdirSync(path.join(root, 'assets'), { recursive: true })
  mkdirSync(path.join(folder, 'renderer-of-another'))
  for (const file of ['renderer/index.html', 'renderer/assets/a b.js', 'secret.txt', 'renderer-of-another/x.txt']) {
    writeFileSync(path.join(folder, file), file)
  }
  symlinkSync(path.join(folder, 'secret.txt'), path.join(root, 'link.txt'))
  symlinkSync(folder, path.join(root, 'up'))
  symlinkSync(path.join(root, 'index.html'), path.join(root, 'within.html'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('security 2: the path guard', () => {
  test.each([
    ['/index.html', 'index.html'],
    ['/assets/a%20b.js', 'assets/a b.js'],
    ['/within.html', 'within.html'],
    ['/not-there.js', 'not-there.js'],
    ['/%252e%252e', '%2e%2e'],
    ['/..hidden', '..hidden'],
  ])('gives %s', (urlPath, file) => {
    expect(safePath(root, urlPath)).toBe(path.join(root, file))
  })

  test.each([
    '', '/', 'index.html', '//', '//server/share', '/assets/', '/assets//a', '/.', '/./index.html',
    '/..', '/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/%2E%2E%2Fsecret.txt', '/..%2fsecret.txt',
    '/..%5csecret.txt', '/..\\secret.txt', '/\\\\server\\share', '/%5c%5cserver',
    '/../renderer-of-another/x.txt', '/C:/Windows/win.ini', '/c%3a/x', '/C:', '/index.html::$DATA', '/CON', '/nul.txt', '/assets/COM1',
    '/index.html%00.png', '/%00', '/a%0ab', '/%', '/%zz', '/%c0%ae%c0%ae/secret.txt',
    '/link.txt', '/up/secret.txt', '/up/renderer-of-another/x.txt', '/up',
  ])('refuses %s', (urlPath) => {
    expect(safePath(root, urlPath)).toBeNull()
  })

  test('whatever is asked for, what it gives lies below the root', () => {
    const piece = fc.oneof(fc.constantFrom('..', '.', '%2e%2e', '%2f', '\\', '%5c', 'up', 'assets', 'C:', '%00', ''), fc.string())
    fc.assert(fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const file = safePath(root, `/${pieces.join('/')}`)
      expect(file === null || (path.resolve(file) === file && file.startsWith(root + path.sep))).toBe(true)
    }))
  })
})
