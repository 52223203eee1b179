import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { FileEntry } from '#shared/contract/system.ts'
import { socketWire } from '#shared/link/socket-wire.ts'
import type { Wire } from '#shared/link/wire.ts'
import { answerJson, refuse, setHeaders } from './answers.ts'
import { createGate, isSameOrigin, loopbackHost } from './gate.ts'
import { sendPageFile } from './page-files.ts'
import { UploadRefusal, type Uploads } from './uploads.ts'

export interface WebServerOptions {
  /** The built window: out/renderer. */
  page: string
  /** 0: any that is free. */
  port: number
  uploads: Uploads
  /** A page has come. */
  onWire(wire: Wire): void
  /** Makes a file that has arrived known. */
  give(file: string): Promise<FileEntry>
  log(message: string, error?: unknown): void
  /** Largest message of a page in bytes; a pasted picture may have 64 MiB. */
  maxPayload?: number
}

export interface WebServer {
  /** With the token that lets one browser in. */
  readonly url: string
  readonly port: number
  /** Ends every connection. */
  close(): Promise<void>
}

/** HTTP and WebSocket on 127.0.0.1 alone: the window, its link at /engine, and /upload. @throws the error of listen */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const { page, uploads, log, maxPayload = 96 << 20 } = options
  const gate = createGate()
  const sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false })
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log('A request could not be answered', error)
      refuse(response, 500, 'Maskscope could not answer this.')
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setHeaders(request, response)
    const { method } = request
    const [urlPath = '', query = ''] = (request.url ?? '').split('?', 2)
    if (loopbackHost(request) === null) return refuse(response, 403, 'Maskscope answers to 127.0.0.1 and localhost only.')
    if (method === 'POST' && urlPath === '/upload') return upload(new URLSearchParams(query), request, response)
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return refuse(response, 405, 'Maskscope does not answer this kind of request.')
    }
    const token = urlPath === '/' ? new URLSearchParams(query).get('token') : null
    // A HEAD, as a preview of the address would send it, uses nothing up.
    const cookie = token !== null && method === 'GET' ? gate.exchange(token) : null
    if (cookie !== null) response.setHeader('set-cookie', cookie)
    else if (!gate.knows(request)) {
      const used = token !== null && method === 'GET'
      return refuse(response, 403, used
        ? 'This address was used already, or belongs to a start of Maskscope that has ended. Start Maskscope again for a new one.'
        : 'Open the address that Maskscope printed when it started. If you just did, load this page once more.')
    }
    if (token !== null) {
      response.writeHead(303, { location: '/' })
      return void response.end()
    }
    return sendPageFile(page, urlPath, request, response)
  }

  async function upload(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Unread, the rest of the body would hold the connection.
    const deny = (status: number, text: string): void => {
      response.setHeader('connection', 'close')
      refuse(response, status, text)
      request.resume()
    }
    if (!isSameOrigin(request) || !gate.knows(request)) return deny(403, 'Only the window itself may send files.')
    const group = query.get('group') ?? ''
    try {
      if (query.has('finish')) return answerJson(response, await options.give(await uploads.finish(group)))
      if (query.has('abandon')) await uploads.abandon(group)
      else await uploads.receive(group, query.get('file') ?? '', Number(query.get('offset') ?? 0), request)
      answerJson(response, {})
    } catch (error) {
      if (request.destroyed && !request.complete) return
      if (!(error instanceof UploadRefusal)) log('A file could not be taken', error)
      deny(error instanceof UploadRefusal ? error.status : 400, (error as Error).message)
    }
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (request.url !== '/engine' || !isSameOrigin(request) || !gate.knows(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      ;(socket as Socket).setNoDelay(true)
      options.onWire(socketWire(webSocket))
    })
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/?token=${gate.token}`,
    port,
    async close() {
      for (const client of sockets.clients) client.terminate()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
