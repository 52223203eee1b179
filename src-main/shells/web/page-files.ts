import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { safePath } from '../path-guard.ts'
import { refuse } from './answers.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.json': 'application/json; charset=utf-8',
}

/**
 * Sends a file of the built window.
 * @param root the folder out/renderer
 * @param urlPath as it came, percent-encoded, without the query
 */
export async function sendPageFile(root: string, urlPath: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = safePath(root, urlPath === '/' ? '/index.html' : urlPath)
  const type = file === null ? undefined : types[path.extname(file).toLowerCase()]
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
