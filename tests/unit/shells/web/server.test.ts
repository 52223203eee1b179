import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from '#shared/link/client.ts'
import { socketWire } from '#shared/link/socket-wire.ts'
import type { Example } from '../../shared/link/example-contract.ts'
import { startTestServer, type TestServer } from './harness.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer(undefined, 100_000)
})
afterEach(() => server.end())

const tokenPath = (): string => server.url.slice(server.url.indexOf('/?'))

describe('the token', () => {
  test('becomes a cookie that scripts and other sites do not see, and leads away from itself', async () => {
    const { status, headers } = await server.ask('GET', tokenPath())
    expect(status).toBe(303)
    expect(headers.location).toBe('/')
    expect(headers['set-cookie']![0]).toMatch(/^maskscope-[0-9a-f]{8}=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
    expect(headers['set-cookie']![0]).not.toContain(tokenPath().slice(8))
  })

  test('is worth nothing afterwards, while the cookie goes on', async () => {
    const cookie = await server.enter()
    expect((await server.ask('GET', tokenPath())).status).toBe(403)
    expect((await server.ask('GET', '/', { cookie })).status).toBe(200)
    expect((await server.ask('GET', '/', { cookie })).text).toContain('<title>Test')
    // The address opened again in the browser that is in already.
    expect((await server.ask('GET', tokenPath(), { cookie })).status).toBe(303)
  })

  test('is not used up by wrong ones, by a HEAD, or under a foreign name', async () => {
    expect((await server.ask('GET', '/?token=wrong')).status).toBe(403)
    expect((await server.ask('HEAD', tokenPath())).status).toBe(403)
    expect((await server.ask('GET', tokenPath(), { headers: { host: 'evil.example' } })).status).toBe(403)
    expect((await server.ask('GET', `/assets/index-abc.js${tokenPath().slice(1)}`)).status).toBe(403)
    expect((await server.ask('GET', tokenPath())).status).toBe(303)
  })

  test('or the cookie is asked for by everything', async () => {
    const cookie = await server.enter()
    for (const place of ['/', '/index.html', '/assets/index-abc.js', '/nothing']) {
      expect((await server.ask('GET', place)).status, place).toBe(403)
      expect((await server.ask('GET', place, { cookie: `${cookie}x` })).status, place).toBe(403)
    }
    expect((await server.ask('POST', '/upload?group=12345678&file=a&offset=0', { body: 'x' })).status).toBe(403)
  })
})

describe('requests', () => {
  test('are answered under the names of this machine only', async () => {
    const cookie = await server.enter()
    for (const host of ['127.0.0.1', 'localhost:1234', 'LOCALHOST', `[::1]:${server.port}`]) {
      expect((await server.ask('GET', '/', { cookie, headers: { host } })).status, host).toBe(200)
    }
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil', 'evil@127.0.0.1', '127.0.0.2', '0.0.0.0', '127.0.0.1:80 x']) {
      expect((await server.ask('GET', '/', { cookie, headers: { host } })).status, host).toBe(403)
    }
  })

  test('carry every header of the checklist, refused ones too', async () => {
    const cookie = await server.enter()
    for (const answer of [await server.ask('GET', '/', { cookie, headers: { host: 'localhost:4000' } }), await server.ask('GET', '/', { headers: { host: 'localhost:4000' } })]) {
      expect(answer.headers['content-security-policy']).toBe("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self' ws://localhost:4000; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp',
      })
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    const foreign = await server.ask('GET', '/', { headers: { host: 'evil.example' } })
    expect(foreign.headers['content-security-policy']).not.toContain('evil')
  })

  test('other than GET, HEAD and the upload are refused', async () => {
    const cookie = await server.enter()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) expect((await server.ask(method, '/', { cookie })).status, method).toBe(405)
    const head = await server.ask('HEAD', '/', { cookie })
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers['content-length']).toBe('34')
  })

  test('reach files of the page alone', async () => {
    const cookie = await server.enter()
    const asset = await server.ask('GET', '/assets/index-abc.js', { cookie })
    expect(asset.headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'private, max-age=31536000, immutable' })
    expect((await server.ask('GET', '/', { cookie })).headers['cache-control']).toBe('no-cache')
    for (const place of ['/../secret.json', '/%2e%2e/secret.json', '/assets/../../secret.json', '/assets/%2e%2e%2f%2e%2e%2fsecret.json', '/..%5csecret.json', '/assets', '/assets/', '/C:/x.json', '/%00', '/%', '//etc/passwd', 'http://127.0.0.1/']) {
      expect((await server.ask('GET', place, { cookie })).status, place).toBe(404)
    }
  })

  test('come over 127.0.0.1 only', async () => {
    const others = Object.values(networkInterfaces()).flat().filter((address) => address && !address.internal && address.family === 'IPv4')
    for (const address of others) {
      const socket = connect(server.port, address!.address)
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
      expect(error.code).toBe('ECONNREFUSED')
    }
  })
})

describe('the link', () => {
  const open = (headers: Record<string, string>, place = '/engine'): WebSocket => new WebSocket(`ws://127.0.0.1:${server.port}${place}`, { headers })

  async function refused(headers: Record<string, string>, place?: string): Promise<number> {
    const socket = open(headers, place)
    socket.on('error', () => undefined)
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    socket.terminate()
    return response.statusCode
  }

  test('opens for a page of ours', async () => {
    const cookie = await server.enter()
    const wire = socketWire(open({ cookie, origin: `http://127.0.0.1:${server.port}` }))
    expect(await createClient<Example>(wire).call('add', { a: 1, b: 2 })).toEqual({ sum: 3 })
    wire.close()
  })

  test('opens through a tunnel, which changes the port', async () => {
    const cookie = await server.enter()
    const wire = socketWire(open({ cookie, host: 'localhost:9000', origin: 'http://localhost:9000' }))
    expect(await createClient<Example>(wire).call('add', { a: 1, b: 2 })).toEqual({ sum: 3 })
    wire.close()
  })

  test('is refused to everybody else', async () => {
    const cookie = await server.enter()
    const host = `127.0.0.1:${server.port}`
    const origin = `http://${host}`
    expect(await refused({ origin })).toBe(403)
    expect(await refused({ cookie })).toBe(403)
    expect(await refused({ cookie, origin: 'null' })).toBe(403)
    expect(await refused({ cookie, origin: 'http://evil.example' })).toBe(403)
    expect(await refused({ cookie, origin: `http://localhost:${server.port}` })).toBe(403)
    expect(await refused({ cookie, origin: `http://127.0.0.1:${server.port + 1}` })).toBe(403)
    expect(await refused({ cookie, origin: 'http://evil.example', host: 'evil.example' })).toBe(403)
    expect(await refused({ cookie, origin }, '/other')).toBe(403)
  })

  test('ends at a frame that is too large, and the server goes on', async () => {
    const cookie = await server.enter()
    const socket = open({ cookie, origin: `http://127.0.0.1:${server.port}` })
    await once(socket, 'open')
    socket.send(new Uint8Array(100_001))
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(1009)
    expect((await server.ask('GET', '/', { cookie })).status).toBe(200)
  })
})
