import { desktopObstacle, electronBinary } from './electron.js'
import { fetchElectron } from './fetch-electron.js'

/**
 * Which shell opens, and why it is not the desktop program. Everything it asks of the machine can be replaced.
 * @param {{ web: boolean, fetch: boolean }} flags
 * @param {string} root
 * @param {{ binary?: () => string | null, fetch?: () => Promise<string | null>, obstacle?: () => string | null }} [machine]
 * @returns {Promise<{ shell: 'desktop', binary: string } | { shell: 'web', reason: string | null }>}
 */
export async function chooseShell(flags, root, { binary = () => electronBinary(root), fetch = () => fetchElectron({ root }), obstacle = desktopObstacle } = {}) {
  if (flags.web) return { shell: 'web', reason: null }
  let found = binary()
  if (found === null) {
    if (!flags.fetch) return { shell: 'web', reason: 'Electron is not there' }
    const failure = await fetch()
    found = binary()
    if (found === null) return { shell: 'web', reason: `Electron could not be fetched: ${failure ?? 'its installer left no program'}` }
  }
  const why = obstacle()
  return why === null ? { shell: 'desktop', binary: found } : { shell: 'web', reason: why }
}
