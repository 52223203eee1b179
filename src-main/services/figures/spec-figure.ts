import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { layOutFigure, type LaidOutFigure } from '#shared/figure/figure.ts'
import { parseFigureSpec, type FigureSpec } from '#shared/figure/spec.ts'
import { storageError } from '#storage/files.ts'
import { checkDpi, defaultDpi, selfContainedSvg } from '../figures.ts'
import type { Study } from '../studies.ts'
import { numbersCsv, runArraysNpz } from './data-files.ts'
import { loadFigure, type LoadedFigure } from './facts.ts'
import { figureLatex } from './latex.ts'
import { writePdf } from './pdf.ts'
import { writePng, writeTiff } from './png.ts'
import { figureProvenance, provenanceFile, rdf, type FileMetadata, type FigureProvenance } from './provenance.ts'

export const specFormats = ['pdf', 'svg', 'png', 'tiff', 'tex', 'csv', 'npz'] as const
export type SpecFormat = (typeof specFormats)[number]

/** A figure, laid out and ready to be written in any format. */
export interface PreparedFigure {
  spec: FigureSpec
  laidOut: LaidOutFigure
  loaded: LoadedFigure
  provenance: FigureProvenance
}

/** @throws MaskscopeError 'usage' or 'storage' naming the run or the field that cannot be drawn */
export async function prepareFigure(spec: FigureSpec, study: Study): Promise<PreparedFigure> {
  const loaded = await loadFigure(spec, study)
  const laidOut = layOutFigure(spec, loaded.facts)
  return { spec, laidOut, loaded, provenance: await figureProvenance(spec, study, loaded.runs, laidOut.list.title) }
}

export interface WriteOptions {
  /** Of PNG and TIFF; default 300. */
  dpi?: number
  /** Of the file without its ending: LaTeX names it. */
  name: string
}

/** One format's bytes: the same spec of the same study gives the same. @throws MaskscopeError 'usage' for a resolution out of range */
export async function writeFigure({ spec, laidOut: { list, caption, numbers }, loaded, provenance }: PreparedFigure, format: SpecFormat, { dpi = defaultDpi, name }: WriteOptions): Promise<Uint8Array> {
  const line = JSON.stringify(provenance)
  const metadata: FileMetadata = { title: list.title, description: list.description, author: spec.author, provenance: line }
  const text = (value: string): Uint8Array => new TextEncoder().encode(value)
  switch (format) {
    case 'pdf': return writePdf(list, metadata)
    case 'svg': return text(await selfContainedSvg(list, rdf(metadata)))
    case 'png': return writePng(list, checkDpi(dpi, list), metadata)
    case 'tiff': return writeTiff(list, checkDpi(dpi, list), metadata)
    case 'tex': return text(figureLatex(spec, loaded.facts, { name, caption, provenance: line }))
    case 'csv': return text(numbersCsv(numbers))
    case 'npz': return runArraysNpz(loaded.runs, provenanceFile(provenance))
  }
}

/** The sidecar's name beside a figure's file. */
export function sidecarName(file: string): string {
  return `${file.slice(0, file.length - path.extname(file).length)}.provenance.json`
}

export function sidecarOf({ provenance }: PreparedFigure): Uint8Array {
  return new TextEncoder().encode(provenanceFile(provenance))
}

/** @throws MaskscopeError 'usage' naming the file or the field of it that is wrong */
export async function readSpecFile(file: string): Promise<FigureSpec> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw new MaskscopeError('usage', `${file} is not whole JSON: ${error.message}.`, { subject: '--spec' })
    throw new MaskscopeError('usage', storageError(error, file, 'read').message, { subject: '--spec', cause: error })
  }
  return parseFigureSpec(value)
}
