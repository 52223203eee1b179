/** What our own pages link to: papers and code. */
const outsideHosts = new Set(['doi.org', 'arxiv.org', 'github.com'])

/**
 * Whether the person's browser may open an address, and as what: the address written anew, since what a parser reads and
 * what the system is given must be the same. Null for everything but https on the usual port of a listed host.
 */
export function outsideUrl(address: unknown): string | null {
  if (typeof address !== 'string') return null
  let url: URL
  try {
    url = new URL(address)
  } catch {
    return null
  }
  const plain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === ''
  return plain && outsideHosts.has(url.hostname) ? url.href : null
}

/** What a page may want to do that leads away from it. */
export type Departure = 'will-navigate' | 'will-redirect' | 'will-frame-navigate' | 'will-attach-webview' | 'window-open'

/**
 * Our window never goes anywhere: what it shows it fetches over its port. Only a link that opens a new window leads
 * somewhere, to the person's browser.
 */
export function decide(departure: Departure, address: unknown): { open: string | null } {
  return { open: departure === 'window-open' ? outsideUrl(address) : null }
}
