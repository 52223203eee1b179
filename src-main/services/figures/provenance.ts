import { createHash } from 'node:crypto'
import type { FigureSpec } from '#shared/figure/spec.ts'
import { escapeXml } from '#shared/figure/svg.ts'
import type { RunManifest } from '#storage/manifests.ts'
import { formatJson, parseStudyManifest } from '#storage/migrations.ts'
import { programVersion } from '../program.ts'
import { findManifest, readText, type Study, type StoredRun } from '../studies.ts'

/** What a figure was made of: in the metadata of every file, and beside it as JSON. Nothing in it depends on where or when it is written. */
export interface FigureProvenance {
  format: 'maskscope-provenance'
  version: 1
  program: { name: 'Maskscope'; version: string }
  title: string
  author: string | null
  /** `id` stays when the study is moved or renamed. */
  study: { id: string; name: string; created: string | null }
  spec: FigureSpec
  runs: {
    id: string
    order: RunManifest['order']
    backend: RunManifest['backend']
    executor: string
    versions: RunManifest['versions']
    target: RunManifest['target']
    score: RunManifest['score']
    probability: RunManifest['probability']
    iterations: number
    arrays: RunManifest['arrays']
  }[]
}

export async function figureProvenance(spec: FigureSpec, study: Study, runs: readonly StoredRun[], title: string): Promise<FigureProvenance> {
  const file = await findManifest(study.folder)
  const manifest = file === null ? null : parseStudyManifest(await readText(file), file)
  // Studies have no number of their own: the instant at which one was begun, to the millisecond, tells it apart.
  const id = createHash('sha256').update(manifest?.created ?? study.name).digest('hex').slice(0, 16)
  return {
    format: 'maskscope-provenance', version: 1, program: { name: 'Maskscope', version: programVersion() },
    title, author: spec.author, study: { id, name: study.name, created: manifest?.created ?? null }, spec,
    runs: runs.map(({ id: run, manifest: { order, backend, executor, versions, target, score, probability, iterations, arrays } }) => (
      { id: run, order, backend, executor, versions, target, score, probability, iterations, arrays }
    )),
  }
}

/** The sidecar. */
export function provenanceFile(provenance: FigureProvenance): string {
  return formatJson(provenance)
}

/** What writers put into a file's own metadata. */
export interface FileMetadata {
  title: string
  description: string
  author: string | null
  /** JSON on one line. */
  provenance: string
}

export const metadataNamespace = 'urn:maskscope:figure:1'

/** The RDF descriptions of XMP (ISO 16684-1), without the packet around them. */
export function rdfDescriptions({ title, description, author, provenance }: FileMetadata): string {
  const one = (text: string): string => `<rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(text)}</rdf:li></rdf:Alt>`
  return [
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">',
    `<dc:title>${one(title)}</dc:title><dc:description>${one(description)}</dc:description>`,
    author === null ? '' : `<dc:creator><rdf:Seq><rdf:li>${escapeXml(author)}</rdf:li></rdf:Seq></dc:creator>`,
    '</rdf:Description>',
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>Maskscope</xmp:CreatorTool></rdf:Description>',
    `<rdf:Description rdf:about="" xmlns:maskscope="${metadataNamespace}"><maskscope:provenance>${escapeXml(provenance)}</maskscope:provenance></rdf:Description>`,
  ].join('')
}

export function rdf(metadata: FileMetadata): string {
  return `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${rdfDescriptions(metadata)}</rdf:RDF>`
}

export function xmpPacket(metadata: FileMetadata): string {
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">${rdf(metadata)}</x:xmpmeta><?xpacket end="w"?>`
}
