// Renders build/icon.svg as the PNG that the packages of all systems are made from: npx tsx scripts/icon/render.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { Resvg } from '@resvg/resvg-js'
import sharp from 'sharp'

const svg = readFileSync('build/icon.svg', 'utf8')
const rendered = new Resvg(svg, { fitTo: { mode: 'width', value: 1024 }, font: { loadSystemFonts: false } }).render()
const png = await sharp(rendered.asPng()).png({ palette: true, colours: 128, compressionLevel: 9 }).toBuffer()
writeFileSync('build/icon.png', png)
process.stdout.write(`build/icon.png: ${rendered.width} × ${rendered.height}, ${png.length} bytes\n`)
