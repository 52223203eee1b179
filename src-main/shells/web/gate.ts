import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Who may come in: whoever opened the printed address once, from this machine or through a tunnel to it. */
export interface Gate {
  /** Part of the printed address; lets one browser in, once. */
  readonly token: string
  /** @returns the cookie to set, or null where the token is wrong or was used */
  exchange(token: string): string | null
  /** Has the request our cookie? */
  knows(request: IncomingMessage): boolean
}

export function createGate(): Gate {
  const token = randomBytes(24).toString('base64url')
  const secret = randomBytes(32).toString('base64url')
  // Browsers keep cookies per host, not per port: a second program must not take the first one's away.
  const name = `maskscope-${randomBytes(4).toString('hex')}`
  let used = false
  return {
    token,
    exchange(given) {
      if (used || !same(given, token)) return null
      used = true
      return `${name}=${secret}; HttpOnly; SameSite=Strict; Path=/`
    },
    knows(request) {
      const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
      return pairs.some((pair) => pair.startsWith(`${name}=`) && same(pair.slice(name.length + 1), secret))
    },
  }
}

/**
 * The Host of a request where it is a name of this very machine, with any port (a tunnel changes it). Another name
 * means that a foreign page has been made to point here.
 */
export function loopbackHost(request: IncomingMessage): string | null {
  const host = request.headers.host?.toLowerCase() ?? ''
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/.test(host) ? host : null
}

/** Does the request come from a page of ours? */
export function isSameOrigin(request: IncomingMessage): boolean {
  const host = loopbackHost(request)
  return host !== null && request.headers.origin?.toLowerCase() === `http://${host}`
}

function same(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(wanted))
}
