import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startWebServer, type WebServer } from '#main/shells/web/server.ts'
import { createUploads, type UploadLimits, type Uploads } from '#main/shells/web/uploads.ts'
import { createHandles, type Handles } from '#services/handles.ts'
import { serveExample } from '../../shared/link/example-contract.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface TestServer extends WebServer {
  handles: Handles
  /** Of the uploads, to see what lies there. */
  temporary: string
  uploads: Uploads
  /** What the server logged. */
  log: string[]
  /** With Host and Origin as a page of ours has them, unless `headers` say otherwise. */
  ask(method: string, place: string, options?: { headers?: Record<string, string>; body?: Uint8Array | string; cookie?: string }): Promise<Answer>
  /** Uses the token up. @returns the cookie */
  enter(): Promise<string>
  /** Every file below the folder of the uploads. */
  kept(): Promise<string[]>
  end(): Promise<void>
}

/** A real server on a free port, with a small page and the link's example behind it. */
export async function startTestServer(limits?: UploadLimits, maxPayload?: number): Promise<TestServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'web-shell-'))
  const page = path.join(folder, 'page')
  const temporary = path.join(folder, 'uploads')
  await mkdir(path.join(page, 'assets'), { recursive: true })
  await mkdir(temporary)
  await writeFile(path.join(page, 'index.html'), '<!doctype html><title>Test</title>')
  await writeFile(path.join(page, 'assets', 'index-abc.js'), 'export {}')
  await writeFile(path.join(folder, 'secret.json'), '{}')
  const uploads = createUploads(temporary, limits)
  const handles = createHandles()
  const log: string[] = []
  const server = await startWebServer({
    page, port: 0, uploads, ...(maxPayload === undefined ? {} : { maxPayload }),
    onWire: (wire) => void serveExample(wire), give: handles.give, log: (message) => log.push(message),
  })
  const ask: TestServer['ask'] = (method, place, { headers = {}, body, cookie } = {}) => send({
    port: server.port, method, path: place,
    headers: { host: `127.0.0.1:${server.port}`, origin: `http://127.0.0.1:${server.port}`, ...(cookie === undefined ? {} : { cookie }), ...headers },
  }, body)
  return {
    url: server.url, port: server.port, close: server.close, handles, temporary, uploads, log, ask,
    async enter() {
      const { headers } = await ask('GET', server.url.slice(server.url.indexOf('/?')))
      return headers['set-cookie']![0]!.split(';')[0]!
    },
    async kept() {
      const entries = await readdir(temporary, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
    },
    async end() {
      await server.close()
      await uploads.dispose()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function send(options: RequestOptions, body?: Uint8Array | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
