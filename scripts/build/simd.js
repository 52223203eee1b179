// Compiles each kernels.as to binary.ts beside it: `node scripts/build/simd.js`. The results are committed, so that neither
// a build nor an installation needs the compiler; a test compiles again and compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Folders with a kernels.as: what runs on TF.js's heap, the mask's own arithmetic, and masks asked about in large numbers. */
export const simdFolders = ['src-main/engine/backend/simd', 'src-main/engine/methods/masks/simd', 'src-main/engine/methods/queries/simd']

/**
 * @param {string} folder one of `simdFolders`
 * @returns {Promise<string>} the module, in base64
 */
export async function compileSimd(folder) {
  const { default: asc } = await import('assemblyscript/asc')
  const source = readFileSync(fileIn(folder, 'kernels.as'), 'utf8')
  const { error, binary, stderr } = await asc.compileString(
    { 'kernels.ts': source },
    {
      optimizeLevel: 3, shrinkLevel: 0, runtime: 'stub', importMemory: true, noExportMemory: true, noAssert: true,
      enable: ['simd'], noColors: true,
    },
  )
  if (error || !binary) throw new Error(`${folder}/kernels.as does not compile: ${stderr.toString()}`)
  return Buffer.from(binary).toString('base64')
}

/** @param {string} folder @param {string} name */
function fileIn(folder, name) {
  return new URL(`../../${folder}/${name}`, import.meta.url)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const folder of simdFolders) {
    const lines = (await compileSimd(folder)).match(/.{1,116}/g) ?? []
    const text = lines.map((line) => `  '${line}',`).join('\n')
    writeFileSync(fileIn(folder, 'binary.ts'), [
      '// Compiled from kernels.as by scripts/build/simd.js: change that file, not this one.',
      'export const simdBinary = [', text, "].join('')", '',
    ].join('\n'))
  }
}
