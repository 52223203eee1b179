import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Electron's binary, found without loading its package, which would try to fetch it.
 * @param {string} root the folder of node_modules
 * @returns {string | null}
 */
export function electronBinary(root, environment = process.env) {
  const folder = path.join(root, 'node_modules', 'electron')
  try {
    const name = readFileSync(path.join(folder, 'path.txt'), 'utf8').trim()
    const binary = path.join(environment.ELECTRON_OVERRIDE_DIST_PATH || path.join(folder, 'dist'), name)
    return name !== '' && existsSync(binary) ? binary : null
  } catch {
    return null
  }
}

/**
 * Why a window cannot open here, although Electron is there; null: it can.
 * @param {{ platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, user: number | undefined }} machine
 * @returns {string | null}
 */
export function desktopObstacle({ platform, environment, user } = { platform: process.platform, environment: process.env, user: process.getuid?.() }) {
  if (platform !== 'linux') return null
  if (!environment.DISPLAY && !environment.WAYLAND_DISPLAY) return 'there is no display here'
  // Without its sandbox we do not start it.
  if (user === 0) return 'Electron\'s sandbox does not work for root'
  return null
}
