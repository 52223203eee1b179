import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandLine } from '#services/shell-words.ts'

test('plain words stand as they are', () => {
  const words = ['maskscope', 'explain', 'scene:2000007', '--set', 'noise=-1e-7', '--range', '-1,1', '/a/b_c.d#1'.replace('#1', ''), 'user@host', '50%', '+1']
  expect(commandLine(words, 'linux')).toBe(words.join(' '))
})

test.skipIf(process.platform === 'win32')('a POSIX shell reads any words back as they were', () => {
  const word = fc.string({ unit: fc.constantFrom(...'aZ9 \'"\\$`!*?[]{}()<>|&;~#=%@^\n\té漢') })
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
    const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${commandLine(words, 'linux')}`], { encoding: 'utf8' })
    expect(stdout.split('\0').slice(0, -1)).toEqual(words)
  }), { numRuns: 60 })
})

test('on Windows words with spaces stand in double quotes, and backslashes hide none of them', () => {
  expect(commandLine(['maskscope', 'C:\\photos\\a.png', 'C:\\my photos\\a.png', 'C:\\my photos\\'], 'win32'))
    .toBe('maskscope C:\\photos\\a.png "C:\\my photos\\a.png" "C:\\my photos\\\\"')
  expect(commandLine(['a"b', '--range', '-1,1', ''], 'win32')).toBe('"a\\"b" --range "-1,1" ""')
})
