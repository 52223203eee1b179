import PDFDocument from 'pdfkit'
import type { DisplayList, ImageItem, PathItem, TextItem } from '#shared/figure/display-list.ts'
import { enlargePicture } from '#shared/imaging/overlay.ts'
import { encodePng } from '../images.ts'
import { fontFile } from './font-files.ts'
import { rdfDescriptions, type FileMetadata } from './provenance.ts'

const pointsPerMm = 72 / 25.4
/** Square pixels are repeated to at least this many per inch, since viewers smooth small images. */
const leastPixelsPerInch = 600
/** The same figure gives the same bytes, so no clock goes in. */
const fixedDate = new Date(Date.UTC(2000, 0, 1))

/** Neither kerning nor ligatures: widths are those the layout measured. */
const features = { kern: false, liga: false, clig: false, calt: false, ccmp: false, locl: false, rlig: false } as unknown as []

/** A display list as a PDF page of its own size: vector text in embedded subset fonts, RGB images, no transparency. */
export async function writePdf(list: DisplayList, metadata?: FileMetadata): Promise<Uint8Array> {
  const images = new Map<ImageItem, Uint8Array>()
  for (const item of list.items) if (item.type === 'image') images.set(item, await pdfImage(item))
  const document = new PDFDocument({
    size: [list.width * pointsPerMm, list.height * pointsPerMm],
    margin: 0,
    pdfVersion: '1.4',
    lang: 'en',
    displayTitle: true,
    info: {
      Title: list.title, Subject: list.description, Creator: 'Maskscope', Producer: 'Maskscope (PDFKit)', CreationDate: fixedDate, ModDate: fixedDate,
      ...(metadata?.author ? { Author: metadata.author } : {}),
    },
  })
  // PDFKit's own XMP leaves what XML gives a meaning unescaped, and has no place for more.
  if (metadata) (document as unknown as XmpWriter)._addInfo = () => (document as unknown as XmpWriter).appendXML(rdfDescriptions(metadata))
  const chunks: Buffer[] = []
  const done = new Promise<void>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk))
    document.on('end', resolve)
    document.on('error', reject)
  })
  for (const item of list.items) {
    switch (item.type) {
      case 'text': drawText(document, item); break
      case 'path': drawPath(document, item); break
      case 'image': drawImage(document, item, images.get(item) as Uint8Array); break
    }
  }
  document.end()
  await done
  return Buffer.concat(chunks)
}

type Page = InstanceType<typeof PDFDocument>

/** What the typings leave out. */
interface XmpWriter {
  _addInfo(): void
  appendXML(xml: string): void
}

function drawText(document: Page, { x, y, size, colour, line, turned }: TextItem): void {
  if (turned) document.save().rotate(-90, { origin: [x * pointsPerMm, y * pointsPerMm] })
  for (const run of line.runs) {
    document.font(fontFile(run.face)).fontSize(size).fillColor(run.colour ?? colour)
    document.text(run.text, (x + run.offset) * pointsPerMm, y * pointsPerMm, { lineBreak: false, baseline: 'alphabetic', features })
  }
  if (turned) document.restore()
}

function drawPath(document: Page, { commands, fill, stroke }: PathItem): void {
  for (const command of commands) {
    if (command[0] === 'Z') document.closePath()
    else if (command[0] === 'M') document.moveTo(command[1] * pointsPerMm, command[2] * pointsPerMm)
    else document.lineTo(command[1] * pointsPerMm, command[2] * pointsPerMm)
  }
  if (fill !== undefined) document.fillColor(fill)
  if (stroke) {
    document.lineWidth(stroke.width).lineJoin('round').lineCap(stroke.cap ?? 'butt').strokeColor(stroke.colour)
    if (stroke.dash) document.dash([...stroke.dash] as never, {})
    else document.undash()
  }
  if (fill !== undefined && stroke) document.fillAndStroke()
  else if (stroke) document.stroke()
  else document.fill()
}

function drawImage(document: Page, item: ImageItem, png: Uint8Array): void {
  document.image(Buffer.from(png), item.x * pointsPerMm, item.y * pointsPerMm, { width: item.width * pointsPerMm, height: item.height * pointsPerMm })
}

/** The picture as it is, or with every pixel repeated a whole number of times where pixels must stay square. */
async function pdfImage({ picture, pixelated, width, height }: ImageItem): Promise<Uint8Array> {
  if (!pixelated) return encodePng(picture)
  const times = (mm: number, pixels: number) => Math.max(1, Math.ceil((leastPixelsPerInch * mm) / 25.4 / pixels))
  return encodePng(enlargePicture(picture, times(width, picture.width), times(height, picture.height)))
}
