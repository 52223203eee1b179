import { Resvg } from '@resvg/resvg-js'
import sharp, { type Sharp } from 'sharp'
import type { DisplayList } from '#shared/figure/display-list.ts'
import { usedCharacters, writeSvg } from '#shared/figure/svg.ts'
import { encodePng } from '../images.ts'
import { fontFile } from './font-files.ts'
import { xmpPacket, type FileMetadata } from './provenance.ts'

/** A display list as an RGB PNG whose metadata state its resolution, so that it keeps its size in mm. */
export async function writePng(list: DisplayList, dpi: number, metadata?: FileMetadata): Promise<Uint8Array> {
  return described(await drawn(list, dpi), dpi, metadata).png({ compressionLevel: 9 }).toBuffer()
}

/** The same as a TIFF. */
export async function writeTiff(list: DisplayList, dpi: number, metadata?: FileMetadata): Promise<Uint8Array> {
  const perMm = dpi / 25.4
  return described(await drawn(list, dpi), dpi, metadata).tiff({ compression: 'deflate', predictor: 'horizontal', xres: perMm, yres: perMm, resolutionUnit: 'inch' }).toBuffer()
}

function described(image: Sharp, dpi: number, metadata: FileMetadata | undefined): Sharp {
  const sized = image.withMetadata({ density: dpi })
  return metadata ? sized.withXmp(xmpPacket(metadata)) : sized
}

async function drawn(list: DisplayList, dpi: number): Promise<Sharp> {
  const width = Math.round((list.width / 25.4) * dpi)
  const images = new Map<string, Uint8Array>()
  for (const item of list.items) {
    if (item.type !== 'image') continue
    const { picture } = item
    // resvg samples large pictures sparsely; they are averaged down first, to twice what the page can show.
    const pixels = Math.ceil((item.width / 25.4) * dpi * 2)
    images.set(item.id, item.pixelated || picture.width <= pixels ? await encodePng(picture) : await sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
      .resize(pixels, Math.max(1, Math.ceil((item.height / 25.4) * dpi * 2)), { fit: 'fill', kernel: 'lanczos3' }).png().toBuffer())
  }
  const fontFiles = [...usedCharacters(list).keys()].map(fontFile)
  const svg = writeSvg(list, { images, fonts: new Map() })
  const rendered = new Resvg(svg, {
    fitTo: { mode: 'width', value: width },
    background: '#ffffff',
    font: { loadSystemFonts: false, fontFiles },
  }).render()
  return sharp(rendered.pixels, { raw: { width: rendered.width, height: rendered.height, channels: 4 } })
    .removeAlpha()
}
