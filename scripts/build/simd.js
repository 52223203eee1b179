// Compiles src-main/engine/backend/simd/kernels.as to binary.ts beside it: `node scripts/build/simd.js`. The result is
// committed, so that neither a build nor an installation needs the compiler; a test compiles again and compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../../src-main/engine/backend/simd/', import.meta.url)

/** @returns {Promise<string>} the module, in base64 */
export async function compileSimd() {
  const { default: asc } = await import('assemblyscript/asc')
  const source = readFileSync(new URL('kernels.as', folder), 'utf8')
  const { error, binary, stderr } = await asc.compileString(
    { 'kernels.ts': source },
    {
      optimizeLevel: 3, shrinkLevel: 0, runtime: 'stub', importMemory: true, noExportMemory: true, noAssert: true,
      enable: ['simd'], noColors: true,
    },
  )
  if (error || !binary) throw new Error(`kernels.as does not compile: ${stderr.toString()}`)
  return Buffer.from(binary).toString('base64')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = (await compileSimd()).match(/.{1,116}/g) ?? []
  const text = lines.map((line) => `  '${line}',`).join('\n')
  writeFileSync(new URL('binary.ts', folder), [
    '// Compiled from kernels.as by scripts/build/simd.js: change that file, not this one.',
    'export const simdBinary = [', text, "].join('')", '',
  ].join('\n'))
}
