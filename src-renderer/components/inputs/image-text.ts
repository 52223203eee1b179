import type { OpenImage } from '#shared/contract/models.ts'
import type { Preprocessing } from '#shared/domain/model.ts'
import { shortNumber } from '../runs/run-text.ts'

/** E.g. "central crop 87.5%". */
export function fitText(preprocessing: Pick<Preprocessing, 'fit' | 'cropFraction'>): string {
  return preprocessing.fit === 'squash' ? 'squashed whole' : `central crop ${shortNumber(preprocessing.cropFraction * 100)}%`
}

export function sizeText(image: Pick<OpenImage, 'width' | 'height'>): string {
  return `${image.width} × ${image.height}`
}
