import { realpathSync } from 'node:fs'
import path from 'node:path'

/** Names that Windows keeps for devices, with any ending. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/**
 * The file below `root` that a URL's path names, or null where the path is not one that we would have written: decoded
 * once, no empty, `.` or `..` segment, no backslash, colon or control character, and no link that leads outside.
 * A file that is not there is no reason to refuse; reading it fails.
 * @param root absolute
 * @param urlPath as `URL.pathname` gives it, percent-encoded, e.g. `/assets/index.js`
 */
export function safePath(root: string, urlPath: string): string | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(urlPath)
  } catch {
    return null
  }
  if (!decoded.startsWith('/') || /[\\:\u0000-\u001f\u007f]/.test(decoded)) return null
  const segments = decoded.slice(1).split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..' || deviceName.test(segment))) return null
  const file = path.join(root, ...segments)
  if (!isInside(root, file)) return null
  try {
    return isInside(realpathSync(root), realpathSync(file)) ? file : null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? file : null
  }
}

function isInside(root: string, file: string): boolean {
  const relative = path.relative(root, file)
  return relative !== '' && !path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..'
}
