import { badFile } from './item.ts'

export interface XmlElement {
  name: string
  children: XmlElement[]
  /** Its own text, trimmed. */
  text: string
}

const mostElements = 20_000
const mostDepth = 16
/** One piece of markup: a comment, a declaration, a tag with its attributes, or text up to the next tag. */
const piece = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * The little XML that annotations are written in: elements and text. Attributes are passed over; document types, and with them
 * every entity of one's own, are refused.
 * @returns the root element
 * @throws MaskscopeError 'input' naming the file and what is wrong with it
 */
export function parseXml(source: string, file: string, kind: string): XmlElement {
  const top: XmlElement = { name: '', children: [], text: '' }
  const open: XmlElement[] = [top]
  let count = 0
  const fail = (what: string): never => {
    throw badFile(kind, file, what)
  }
  const text = source.replace(/^\uFEFF/, '')
  piece.lastIndex = 0
  for (let at = 0; at < text.length; at = piece.lastIndex) {
    const match = piece.exec(text)
    if (!match) return fail(`is no XML that is read here: character ${at + 1} of it begins no element ("${text.slice(at, at + 20).replace(/\s+/g, ' ')}")`)
    const [, closing, name, , empty, words] = match
    const inner = open[open.length - 1]!
    if (words !== undefined) {
      if (inner === top && words.trim() !== '') return fail('is no XML: it has text outside of its first element')
      inner.text = `${inner.text}${decode(words, fail)}`
    } else if (name !== undefined && closing === '/') {
      if (inner.name !== name) return fail(`is no XML: <${inner.name || 'nothing'}> is closed by </${name}>`)
      inner.text = inner.text.trim()
      open.pop()
    } else if (name !== undefined) {
      if (++count > mostElements) return fail(`has more than the ${mostElements} elements that are read`)
      if (inner === top && top.children.length > 0) return fail('is no XML: it has more than one first element')
      const element: XmlElement = { name, children: [], text: '' }
      inner.children.push(element)
      if (empty !== '/') open.push(element)
      if (open.length > mostDepth) return fail(`nests elements more than ${mostDepth} deep`)
    }
  }
  if (open.length > 1) return fail(`is cut off: <${open[open.length - 1]!.name}> does not end`)
  return top.children[0] ?? fail('is empty')
}

function decode(text: string, fail: (what: string) => never): string {
  return text.replace(/&(#x[\da-fA-F]{1,6}|#\d{1,7}|\w+)?;?/g, (whole, name: string | undefined) => {
    if (name === undefined || !whole.endsWith(';')) return fail('has a bare & in its text; it must be written &amp;')
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : name.startsWith('#') ? Number(name.slice(1)) : undefined
    if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : fail(`has the character ${whole}, which does not exist`)
    return entities[name] ?? fail(`has the entity ${whole}, which is not read`)
  })
}
