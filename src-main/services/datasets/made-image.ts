import { createHash } from 'node:crypto'
import type { Picture } from '#shared/domain/image.ts'
import { encodePng, type LoadedImage } from '../images.ts'

/** A picture that never was a file of its own: a PNG stands for it, so that a study can keep it. */
export async function madeImage(name: string, picture: Picture): Promise<LoadedImage> {
  const bytes = await encodePng(picture)
  return { name, picture, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), format: 'png', notes: [] }
}
