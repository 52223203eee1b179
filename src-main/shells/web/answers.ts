import type { IncomingMessage, ServerResponse } from 'node:http'
import { pageHeaders } from '../page-headers.ts'
import { loopbackHost } from './gate.ts'

/** On every answer, whatever it says. */
export function setHeaders(request: IncomingMessage, response: ServerResponse): void {
  const host = loopbackHost(request)
  const headers = { ...pageHeaders(host === null ? [] : [`ws://${host}`]), 'cache-control': 'no-store' }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

/** A sentence for a person, or for a log. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}
