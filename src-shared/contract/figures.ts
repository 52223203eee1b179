import * as z from 'zod/mini'
import { figureSpec } from '../figure/spec.ts'
import { call } from './define.ts'
import { bytes, nothing, text } from './values.ts'

/** Figures that the study keeps, each a spec; a single run's figure is among the runs' calls. */
const name = text(60)
export const figureFormats = ['pdf', 'svg', 'png', 'tiff', 'tex', 'csv', 'npz'] as const
export type SpecFigureFormat = (typeof figureFormats)[number]

const order = z.object({ name, spec: figureSpec, format: z.enum(figureFormats), dpi: z.number() })

export const specFigures = {
  calls: {
    'figures.list': call(nothing, z.array(name)),
    /** @throws 'storage' or 'usage' for one that is gone or cannot be read */
    'figures.read': call(z.object({ name }), z.object({ spec: figureSpec })),
    /** A name that is not taken is made of the wish. */
    'figures.create': call(z.object({ wish: name, spec: figureSpec }), z.object({ name })),
    'figures.write': call(z.object({ name, spec: figureSpec }), nothing),
    'figures.remove': call(z.object({ name }), nothing),
    /** The very SVG that would be written. @throws 'usage' or 'storage' naming the run or field that cannot be drawn */
    'figures.draw': call(z.object({ spec: figureSpec }), z.object({ svg: text(256 << 20), widthMm: z.number(), heightMm: z.number(), caption: text(200_000) })),
    /** The file, and beside it what it was made of. */
    'figures.file': call(order, z.object({ files: z.array(z.object({ name: text(), bytes: bytes(512 << 20) })) })),
    /** Asks where and writes both; null where the dialog was closed. @throws 'unavailable' in the web shell */
    'figures.export': call(order, z.object({ file: z.nullable(text()) })),
    /** Of a figure that the study keeps. */
    'figures.line': call(z.object({ name, format: z.enum(figureFormats), dpi: z.number() }), z.object({ command: text(20_000) })),
  },
  streams: {},
}
