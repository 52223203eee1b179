import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { protocol } from 'electron'
import { contentType, pageHeaders } from '../page-headers.ts'
import { safePath } from '../path-guard.ts'

const scheme = 'app'
const host = 'bundle'
/** As `WebFrameMain.origin` says it of our window. */
export const ownOrigin = `${scheme}://${host}`
/** Where the window begins. */
export const startUrl = `${ownOrigin}/index.html`

/** Before the program is ready, and once. A standard scheme has an origin; a secure one may use what https may. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }])
}

/** Serves the built window. @param root the folder out/renderer */
export function serveBundle(root: string): void {
  protocol.handle(scheme, (request) => answer(root, request))
}

/** The file that a request names, with the headers of item 2 and 3 of docs/security.md; 404 for everything else, a failed load where the page itself is missing. */
export async function answer(root: string, request: { url: string; method: string }): Promise<Response> {
  const url = new URL(request.url)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405)
  const file = url.host === host ? safePath(root, url.pathname === '/' ? '/index.html' : url.pathname) : null
  const type = file === null ? undefined : contentType(file)
  if (file === null || type === undefined) return refusal(404)
  try {
    const bytes = await readFile(file)
    return new Response(request.method === 'HEAD' ? null : bytes, { headers: { ...headers, 'content-type': type } })
  } catch {
    // A window without its page is a load that failed (crash.ts), not an empty window.
    return file === path.join(root, 'index.html') ? Response.error() : refusal(404)
  }
}

const headers = pageHeaders()

function refusal(status: number): Response {
  return new Response(null, { status, headers })
}
