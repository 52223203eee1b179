import type { DisplayList, ImageItem, Item, PathItem, TextItem } from './display-list.ts'
import { face, type FaceId } from './faces.ts'
import { pointMm } from './text.ts'

/** What an SVG carries: an encoded picture by image id, and a font with at least the used glyphs by face. */
export interface SvgResources {
  /** PNG files. */
  images: ReadonlyMap<string, Uint8Array>
  /** TrueType files; a face that is absent is left to the viewer's fonts. */
  fonts: ReadonlyMap<FaceId, Uint8Array>
  /** XML for the file's metadata element. */
  metadata?: string
}

/** The characters that a display list sets in each face. */
export function usedCharacters(list: DisplayList): Map<FaceId, Set<string>> {
  const used = new Map<FaceId, Set<string>>()
  for (const item of list.items) {
    if (item.type !== 'text') continue
    for (const run of item.line.runs) {
      const characters = used.get(run.face) ?? new Set()
      for (const character of run.text) characters.add(character)
      used.set(run.face, characters)
    }
  }
  return used
}

/**
 * A display list as a self-contained SVG 1.1 file in mm: vector text with its fonts inside, pictures as PNG inside, no
 * transparency, scripts or links.
 */
export function writeSvg(list: DisplayList, resources: SvgResources): string {
  const width = num(list.width)
  const height = num(list.height)
  const size = `width="${list.width}mm" height="${list.height}mm"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size} viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(list.title)}</title>`,
    `<desc>${escapeXml(list.description)}</desc>`,
    ...(resources.metadata === undefined ? [] : [`<metadata>${resources.metadata}</metadata>`]),
    `<style>${fontFaces(resources.fonts)}text{font-kerning:none;font-variant-ligatures:none;text-rendering:geometricPrecision;white-space:pre}</style>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...list.items.map((item) => writeItem(item, resources)),
    '</svg>',
    '',
  ].join('\n')
}

/** For text and attribute values, in XML; characters that XML forbids even escaped are dropped. */
export function escapeXml(text: string): string {
  const allowed = text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
  return allowed.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&#39;')
}

function writeItem(item: Item, resources: SvgResources): string {
  switch (item.type) {
    case 'text': return writeText(item)
    case 'path': return writePath(item)
    case 'image': return writeImage(item, resources.images)
  }
}

/** Each run has its own place, so that no viewer's idea of widths, kerning or fallback moves what follows. */
function writeText({ x, y, size, colour, line, turned }: TextItem): string {
  const spans = line.runs.map((run) => {
    const { family, weight, slant } = face(run.face)
    const style = `${weight === 700 ? ' font-weight="700"' : ''}${slant === 'normal' ? '' : ` font-style="${slant}"`}`
    const fill = run.colour === undefined ? '' : ` fill="${run.colour}"`
    return `<tspan x="${num(x + run.offset)}" font-family="${family}"${style}${fill}>${escapeXml(run.text)}</tspan>`
  })
  const turn = turned ? ` transform="rotate(-90 ${num(x)} ${num(y)})"` : ''
  return `<text y="${num(y)}"${turn} font-size="${num(size * pointMm)}" fill="${colour}" xml:space="preserve">${spans.join('')}</text>`
}

function writePath({ commands, fill, stroke }: PathItem): string {
  const d = commands.map((c) => (c[0] === 'Z' ? 'Z' : `${c[0]}${num(c[1])} ${num(c[2])}`)).join('')
  const attributes = [`fill="${fill ?? 'none'}"`]
  if (stroke) {
    attributes.push(`stroke="${stroke.colour}"`, `stroke-width="${num(stroke.width * pointMm)}"`, 'stroke-linejoin="round"')
    if (stroke.cap) attributes.push(`stroke-linecap="${stroke.cap}"`)
    if (stroke.dash) attributes.push(`stroke-dasharray="${stroke.dash.map((d) => num(d * pointMm)).join(' ')}"`)
  }
  return `<path d="${d}" ${attributes.join(' ')}/>`
}

/** resvg heeds `optimizeSpeed`, browsers `pixelated`: both keep pixels square. */
function writeImage(item: ImageItem, images: SvgResources['images']): string {
  const bytes = images.get(item.id)
  if (!bytes) throw new Error(`no encoded picture for ${item.id}`)
  const sharp = item.pixelated ? ' style="image-rendering:pixelated;image-rendering:optimizeSpeed"' : ''
  const place = `x="${num(item.x)}" y="${num(item.y)}" width="${num(item.width)}" height="${num(item.height)}"`
  const data = `data:image/png;base64,${base64(bytes)}`
  return `<image ${place} preserveAspectRatio="none"${sharp} xlink:href="${data}"/>`
}

function fontFaces(fonts: SvgResources['fonts']): string {
  return [...fonts].map(([id, bytes]) => {
    const { family, weight, slant } = face(id)
    return `@font-face{font-family:"${family}";font-weight:${weight};font-style:${slant};src:url("data:font/ttf;base64,${base64(bytes)}") format("truetype")}`
  }).join('')
}

/**
 * Millimetres in the file's units, to a thousandth of a millimetre; never "-0". The unit is a hundredth of a
 * millimetre: browsers keep advances in 64ths of a unit, which at 2 to 3 units per em would add up to visible gaps.
 */
function num(mm: number): string {
  return String(Math.round(mm * 1000) / 10 || 0)
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** In browsers and Node alike, without a detour over strings of bytes. */
function base64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] as number
    const b = bytes[i + 1]
    const c = bytes[i + 2]
    parts.push(
      digits.charAt(a >> 2) + digits.charAt(((a & 3) << 4) | ((b ?? 0) >> 4))
      + (b === undefined ? '=' : digits.charAt(((b & 15) << 2) | ((c ?? 0) >> 6)))
      + (c === undefined ? '=' : digits.charAt(c & 63)),
    )
  }
  return parts.join('')
}
