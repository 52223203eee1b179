import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { contentType } from '../page-headers.ts'
import { safePath } from '../path-guard.ts'
import { refuse } from './answers.ts'

/**
 * Sends a file of the built window.
 * @param root the folder out/renderer
 * @param urlPath as it came, percent-encoded, without the query
 */
export async function sendPageFile(root: string, urlPath: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = safePath(root, urlPath === '/' ? '/index.html' : urlPath)
  const type = file === null ? undefined : contentType(file)
  const info = file === null || type === undefined ? null : await stat(file).catch(() => null)
  if (file === null || type === undefined || !info?.isFile()) return refuse(response, 404, 'There is nothing here.')
  response.setHeader('content-type', type)
  response.setHeader('content-length', info.size)
  // The names of these files hold a hash of what is in them.
  response.setHeader('cache-control', urlPath.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache')
  response.writeHead(200)
  if (request.method === 'HEAD') return void response.end()
  // A page that goes away in the middle is no error.
  await pipeline(createReadStream(file), response).catch(() => undefined)
}
