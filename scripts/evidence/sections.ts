/** A part of a page, written when it has been measured; the other parts stay as they are. */
export interface Section {
  name: string
  text: string
}

const mark = (name: string): string => `<!-- ${name}: written by npm run evidence -->`
const anyMark = /^<!-- .+: written by npm run evidence -->$/m

/**
 * @param made how it was measured, in a paragraph of its own below it
 * @returns the page with the section below its mark, up to the next mark; at the end, with a mark, where there was none. A section that a
 * later sitting found as it was keeps what it says of how it was measured.
 */
export function placeSection(page: string, { name, text }: Section, made: string): string {
  const own = mark(name)
  const body = text.trim()
  const at = page.indexOf(own)
  if (at < 0) return `${page.trimEnd()}\n\n${own}\n\n${body}\n\n${made}\n`
  const start = at + own.length
  const next = page.slice(start).search(anyMark)
  const end = next < 0 ? page.length : start + next
  const before = page.slice(start, end).trim()
  if (before.startsWith(`${body}\n\n`) && !before.slice(body.length + 2).includes('\n')) return page
  return `${page.slice(0, start)}\n\n${body}\n\n${made}\n${next < 0 ? '' : `\n${page.slice(end)}`}`
}
