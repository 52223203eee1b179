/** A part of a page, written when it has been measured; the other parts stay as they are. */
export interface Section {
  name: string
  text: string
}

const mark = (name: string): string => `<!-- ${name}: written by npm run evidence -->`
const anyMark = /^<!-- .+: written by npm run evidence -->$/m

/** @returns the page with the section below its mark, up to the next mark; at the end, with a mark, where there was none */
export function placeSection(page: string, { name, text }: Section): string {
  const own = mark(name)
  const at = page.indexOf(own)
  if (at < 0) return `${page.trimEnd()}\n\n${own}\n\n${text.trim()}\n`
  const start = at + own.length
  const next = page.slice(start).search(anyMark)
  const rest = next < 0 ? '' : `\n${page.slice(start + next)}`
  return `${page.slice(0, start)}\n\n${text.trim()}\n${rest}`
}
