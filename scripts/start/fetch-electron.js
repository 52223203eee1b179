import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/**
 * @typedef {object} FetchOptions
 * @property {string} root the folder of node_modules
 * @property {string} [installer] Electron's own
 * @property {number} [patience] ms without a byte after which it gives up
 * @property {{ write(text: string): unknown, isTTY?: boolean }} [out]
 */

/**
 * Lets Electron's own installer fetch the binary. Its standard output tells nothing for half a minute, so what is
 * watched is the temporary folder that it is given, where the download grows, and the folder that it unpacks into.
 * @param {FetchOptions} options
 * @returns {Promise<string | null>} why it cannot be; null: it is there
 */
export async function fetchElectron({ root, installer, patience = 10_000, out = process.stderr }) {
  const folder = path.join(root, 'node_modules', 'electron')
  const script = installer ?? path.join(folder, 'install.js')
  if (!existsSync(script)) return 'it is not among the installed packages'
  const temporary = mkdtempSync(path.join(tmpdir(), 'maskscope-electron-'))
  out.write(`Fetching Electron for the desktop program (once; gives up after ${patience / 1000} s without a byte) ...${out.isTTY ? '' : '\n'}`)
  try {
    return await watchInstaller({ script, temporary, unpacked: path.join(folder, 'dist'), patience, out })
  } finally {
    if (out.isTTY) out.write('\n')
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** @param {{ script: string, temporary: string, unpacked: string, patience: number, out: NonNullable<FetchOptions['out']> }} options */
function watchInstaller({ script, temporary, unpacked, patience, out }) {
  return new Promise((/** @type {(reason: string | null) => void} */ resolve) => {
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary, ELECTRON_GET_NO_PROGRESS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let words = ''
    let gaveUp = false
    let bytes = 0
    let moved = Date.now()
    child.stderr.on('data', (chunk) => {
      words = (words + String(chunk)).slice(-8192)
    })
    const look = setInterval(() => {
      const now = folderBytes(temporary) + folderBytes(unpacked)
      if (now !== bytes) {
        bytes = now
        moved = Date.now()
        if (out.isTTY) out.write(`\rFetching Electron for the desktop program: ${(bytes / 1e6).toFixed(0)} MB\x1b[K`)
      } else if (Date.now() - moved > patience) {
        gaveUp = true
        child.kill('SIGKILL')
      }
    }, Math.min(250, patience / 4))
    const stop = () => child.kill('SIGKILL')
    process.once('exit', stop)
    child.on('error', (error) => {
      words = error.message
    })
    child.on('close', (code) => {
      clearInterval(look)
      process.removeListener('exit', stop)
      resolve(gaveUp ? `nothing arrived for ${patience / 1000} s` : code === 0 ? null : shortReason(words))
    })
  })
}

/**
 * What an installer that failed left behind, as the end of a sentence.
 * @param {string} words
 */
export function shortReason(words) {
  const line = words.split('\n').map((text) => text.trim()).find((text) => /error|failed/i.test(text)) ?? 'its installer gave no reason'
  if (/fetch failed|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH/.test(words)) return 'the place it is fetched from cannot be reached'
  return `its installer said "${line.slice(0, 160)}"`
}

/** @param {string} folder @returns {number} */
function folderBytes(folder) {
  let bytes = 0
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const place = path.join(folder, entry.name)
      bytes += entry.isDirectory() ? folderBytes(place) : statSync(place).size
    }
  } catch {
    // Moved away or not there yet.
  }
  return bytes
}
