import { prepareImage } from '#engine/classifier/prepare.ts'
import type { ImageBatch, View } from '#shared/domain/image.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { LoadedItem } from './datasets.ts'

/**
 * What a classifier sees of an item, and where on the picture that lies. A scene already of the input's size is taken
 * as it was rendered, so that nothing is rounded; everything else is resized once.
 */
export async function prepareItem(
  item: LoadedItem, info: Pick<ModelInfo, 'input' | 'preprocessing'>,
): Promise<{ image: ImageBatch; view: View }> {
  const { exact, picture } = item
  const { input, preprocessing } = info
  const fits = exact?.height === input.height && exact.width === input.width && exact.channels === input.channels
  if (!exact || !fits || preprocessing.fit !== 'squash') return prepareImage(picture, input, preprocessing)
  const size = { width: picture.width, height: picture.height }
  return { image: exact, view: { picture: size, crop: { left: 0, top: 0, ...size }, size } }
}
