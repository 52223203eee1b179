import { readSmallFile } from '../files.ts'
import { badFile } from './item.ts'
import { parseXml, type XmlElement } from './xml.ts'

/** In pixels as Pascal VOC counts them: the first is 1, and both ends belong to the box. */
export interface Box {
  class: string
  left: number
  top: number
  right: number
  bottom: number
}

export interface BoxList {
  boxes: Box[]
  /** Of the image, where the file states it. */
  size: { width: number; height: number } | null
}

const textKind = 'list of boxes'
const xmlKind = 'annotation'
const sizeLimit = 4 << 20

/** @throws MaskscopeError 'input' naming file, line or field */
export async function readBoxes(file: string): Promise<BoxList> {
  const xml = file.toLowerCase().endsWith('.xml')
  const text = new TextDecoder().decode(await readSmallFile(file, xml ? xmlKind : textKind, sizeLimit))
  return xml ? boxesOfXml(text, file) : { boxes: boxesOfText(text, file), size: null }
}

/** Lines of `class left top right bottom`; a word behind them, e.g. `difficult`, is passed over. */
export function boxesOfText(text: string, file: string): Box[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return []
    const parts = line.trim().split(/\s+/)
    const numbers = parts.slice(1, 5).map(Number)
    if (parts.length < 5 || parts.length > 6 || !numbers.every(Number.isFinite) || (parts.length === 6 && Number.isFinite(Number(parts[5])))) {
      throw badFile(textKind, file, `is not understood on line ${i + 1} ("${line.slice(0, 60)}"); write class left top right bottom`)
    }
    const [left, top, right, bottom] = numbers as [number, number, number, number]
    return [checked({ class: parts[0]!, left, top, right, bottom }, textKind, file, `line ${i + 1}`)]
  })
}

/** Pascal VOC: annotation, size, objects with name and bndbox. */
export function boxesOfXml(text: string, file: string): BoxList {
  const root = parseXml(text, file, xmlKind)
  if (root.name !== 'annotation') throw badFile(xmlKind, file, `is no Pascal VOC annotation: its first element is <${root.name}>`)
  const sizeElement = child(root, 'size')
  const size = sizeElement ? { width: numberIn(sizeElement, 'width', file, 'size'), height: numberIn(sizeElement, 'height', file, 'size') } : null
  const boxes = root.children.filter((element) => element.name === 'object').map((object, i) => {
    const where = `object ${i + 1}`
    const name = child(object, 'name')?.text
    const box = child(object, 'bndbox')
    if (!name) throw badFile(xmlKind, file, `lacks the field name in ${where}`)
    if (!box) throw badFile(xmlKind, file, `lacks the field bndbox in ${where}`)
    const [left, top, right, bottom] = ['xmin', 'ymin', 'xmax', 'ymax'].map((field) => numberIn(box, field, file, where)) as [number, number, number, number]
    return checked({ class: name, left, top, right, bottom }, xmlKind, file, where)
  })
  return { boxes, size }
}

function checked(box: Box, kind: string, file: string, where: string): Box {
  if (box.right >= box.left && box.bottom >= box.top) return box
  throw badFile(kind, file, `has a box in ${where} whose ${box.right < box.left ? 'right lies left of its left' : 'bottom lies above its top'} (${box.left} ${box.top} ${box.right} ${box.bottom})`)
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((inner) => inner.name === name)
}

function numberIn(element: XmlElement, name: string, file: string, where: string): number {
  const text = child(element, name)?.text
  const value = Number(text)
  if (text !== undefined && text !== '' && Number.isFinite(value)) return value
  throw badFile(xmlKind, file, text === undefined ? `lacks the field ${name} in ${where}` : `has "${text.slice(0, 40)}" as ${name} in ${where}; it must be a number`)
}
