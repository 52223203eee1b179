import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { isImage, namesIn, requireFolder, sorted } from './files.ts'
import { counted } from './item.ts'

export interface Pair {
  image: string
  /** The file that says what is in it. */
  truth: string
}

export interface PairRule {
  /** Of folders as Pascal VOC has them, beside JPEGImages. */
  folder: string
  /** What the truth's file of an image with this stem may be called, the better first. */
  names(stem: string, besideImages: boolean): string[]
  /** Whether a file that looks like an image belongs to another. */
  isTruth(name: string): boolean
  /** What is missing, e.g. "boxes". */
  what: string
}

/**
 * Images and the files that belong to them: side by side in one folder, or in the folders of Pascal VOC.
 * @throws MaskscopeError 'input' naming the images that have none
 */
export async function findPairs(folder: string, spec: string, rule: PairRule): Promise<Pair[]> {
  await requireFolder(folder, spec)
  const inside = await namesIn(folder)
  const voc = inside.includes('JPEGImages') && inside.includes(rule.folder)
  const imageFolder = voc ? path.join(folder, 'JPEGImages') : folder
  const truthFolder = voc ? path.join(folder, rule.folder) : folder
  const truths = new Set(voc ? await namesIn(truthFolder) : inside)
  const images = sorted((voc ? await namesIn(imageFolder) : inside).filter((name) => isImage(name) && (voc || !rule.isTruth(name))))
  const pairs: Pair[] = []
  const alone: string[] = []
  for (const name of images) {
    const truth = rule.names(path.parse(name).name, !voc).find((candidate) => truths.has(candidate))
    if (truth !== undefined) pairs.push({ image: path.join(imageFolder, name), truth: path.join(truthFolder, truth) })
    else alone.push(name)
  }
  if (images.length === 0) throw new MaskscopeError('input', `The folder ${imageFolder} holds no images.`, { subject: folder })
  // In Pascal VOC only some images have a segmentation.
  if (alone.length > 0 && (!voc || pairs.length === 0)) {
    const example = rule.names(path.parse(alone[0]!).name, !voc)[0]!
    throw new MaskscopeError('input', `In ${folder} ${counted(alone.length, 'image')} without ${rule.what}: ${alone.slice(0, 5).join(', ')}${alone.length > 5 ? ', …' : ''}; ${path.join(truthFolder, example)} is looked for.`, { subject: alone[0]! })
  }
  return pairs
}
