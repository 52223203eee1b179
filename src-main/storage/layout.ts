import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'

/**
 * Where things lie in a study (docs/study-format.md):
 *
 *     NAME.maskscope            the study's manifest, written after every run
 *     inputs/SHA256.EXT         the pictures, by the hash of their bytes
 *     runs/0001-zebra-neuromask/
 *       record.json             times, hardware, state; rewritten
 *       saliency.npy own.npy ranking.npy frames.npy losses.csv part-NAME.npy
 *       run.json                written last: a run that has it is finished
 *       figure.png metrics.json made of it afterwards, where they were asked for
 *     .deleted/0002-cat-…       runs moved aside; gone when the study is opened to write the next time
 *
 * Names of files inside a run are fixed here and never taken from a manifest, so no study can point outside itself.
 */
export const manifestEnding = '.maskscope'
export const inputsFolder = 'inputs'
export const runsFolder = 'runs'
export const deletedFolder = '.deleted'
export const lockFile = '.writer-lock'
export const runFiles = {
  manifest: 'run.json',
  record: 'record.json',
  losses: 'losses.csv',
  saliency: 'saliency.npy',
  own: 'own.npy',
  ranking: 'ranking.npy',
  frames: 'frames.npy',
  figure: 'figure.png',
  metrics: 'metrics.json',
} as const

/** A part of a run's result. @param name as `MapPart.name` */
export function partFile(name: string): string {
  if (!partPattern.test(name)) throw new MaskscopeError('storage', `"${name}" is not the name of a part of a result.`, { subject: name })
  return `part-${name}.npy`
}

const partPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/
const runIdPattern = /^(\d{4,9})-[a-z0-9]+(-[a-z0-9]+)*$/
const inputPattern = /^[0-9a-f]{64}\.[a-z0-9]{1,8}$/

export function isRunId(name: string): boolean {
  return runIdPattern.test(name)
}

/** The number an id begins with. */
export function runNumber(id: string): number {
  return Number(runIdPattern.exec(id)?.[1] ?? Number.NaN)
}

/** E.g. `0001-zebra-neuromask`. */
export function makeRunId(number: number, image: string, method: string): string {
  return `${String(number).padStart(4, '0')}-${slug(image)}-${slug(method)}`
}

/** Small letters, digits and single hyphens, at most 40 of them, never empty. */
export function slug(text: string): string {
  const plain = text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
  return plain.replace(/[^a-z0-9]+/g, '-').slice(0, 40).replace(/^-+|-+$/g, '') || 'image'
}

/** @throws MaskscopeError 'storage' for anything but an id. */
export function runPath(study: string, id: string): string {
  if (!isRunId(id)) throw new MaskscopeError('storage', `"${id}" is not the id of a run, such as 0001-zebra-neuromask.`, { subject: id })
  return path.join(study, runsFolder, id)
}

/** Where a deleted run lies. @throws MaskscopeError 'storage' for anything but an id. */
export function deletedPath(study: string, id: string): string {
  return path.join(study, deletedFolder, path.basename(runPath(study, id)))
}

/** Name of an input below the study, with a slash on every system. */
export function inputName(sha256: string, extension: string): string {
  const name = `${sha256}.${extension.toLowerCase().replace(/^\./, '').replace(/[^a-z0-9]/g, '').slice(0, 8) || 'bin'}`
  return `${inputsFolder}/${name}`
}

/** @throws MaskscopeError 'storage' where the name is not one that `inputName` makes. */
export function inputPath(study: string, name: string): string {
  const [folder, file, ...rest] = name.split('/')
  if (folder !== inputsFolder || file === undefined || rest.length > 0 || !inputPattern.test(file)) {
    throw new MaskscopeError('storage', `"${name}" is not the name of an input of a study.`, { subject: name })
  }
  return path.join(study, inputsFolder, file)
}

/** The study's name as the name of a file on every system. */
export function studyFileName(name: string): string {
  const safe = name.replace(/[\u0000-\u001f<>:"/\\|?*]/g, '-').replace(/^[.\s]+|[.\s]+$/g, '').slice(0, 80)
  return `${safe || 'study'}${manifestEnding}`
}
