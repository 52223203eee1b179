// Plain JavaScript: the launcher runs it before anything is built.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(fileURLToPath(import.meta.url), '../../..')
const stampFile = path.join(root, 'out', 'build-stamp')
const lockFolder = path.join(root, 'out', 'build-lock')

function* sourceFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) yield* sourceFiles(file)
    else yield file
  }
}

/** Hash of names, sizes and times of all that the build reads: cheap, and wrong only towards building once more. */
function sourceStamp() {
  const hash = createHash('sha256').update(process.version)
  const files = ['package.json', 'electron.vite.config.ts'].map((f) => path.join(root, f))
  for (const folder of ['src-shared', 'src-main', 'src-renderer']) files.push(...sourceFiles(path.join(root, folder)))
  for (const file of files) {
    const s = statSync(file)
    hash.update(`${path.relative(root, file)} ${s.size} ${s.mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function isBuilt() {
  return existsSync(path.join(root, 'out/main/cli.js')) && existsSync(stampFile)
    && readFileSync(stampFile, 'utf8') === sourceStamp()
}

/** Two launchers at once: one builds, the other waits; a lock older than two minutes was left by a dead process. */
function takeLock() {
  mkdirSync(path.join(root, 'out'), { recursive: true })
  for (;;) {
    try {
      mkdirSync(lockFolder)
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const age = Date.now() - (statSync(lockFolder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (age > 120_000) rmSync(lockFolder, { recursive: true, force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
}

/** Builds all sides of the program into out/ unless out/ already holds a build of these very sources. */
export function ensureBuilt({ quiet = false } = {}) {
  // A published package carries out/ and no sources.
  if (!existsSync(path.join(root, 'src-main')) || isBuilt()) return
  takeLock()
  try {
    if (isBuilt()) return
    if (!quiet) process.stderr.write('Building Maskscope (once) ...\n')
    const stamp = sourceStamp()
    const bin = path.join(root, 'node_modules/electron-vite/bin/electron-vite.js')
    if (!existsSync(bin)) throw new Error('Maskscope is not installed: run "npm ci" in its folder first')
    const result = spawnSync(process.execPath, [bin, 'build', '--logLevel', 'error'], { cwd: root, encoding: 'utf8' })
    if (result.status !== 0) throw new Error(`The build failed:\n${result.stdout}${result.stderr}`)
    writeFileSync(stampFile, stamp)
  } finally {
    rmSync(lockFolder, { recursive: true, force: true })
  }
}
