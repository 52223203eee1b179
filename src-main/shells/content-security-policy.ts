/**
 * What a page of ours may load and do, as the header that both hosts send: nothing inline, nothing evaluated, nothing
 * from elsewhere.
 * @param connect further sources to connect to, e.g. `ws://127.0.0.1:4000`, from a checked Host only
 */
export function contentSecurityPolicy(connect: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect].join(' '),
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
