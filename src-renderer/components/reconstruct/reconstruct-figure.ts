import { specFormat, specVersion } from '#shared/figure/spec.ts'
import { call } from '../../rpc.ts'
import { useFigures } from '../../stores/figures.ts'
import { useNotices } from '../../stores/notices.ts'
import { useVariations } from '../../stores/variations.ts'

/** Most that a sheet shows. */
const most = 24

/** Keeps the variations on the stage in the study, and opens a sheet of them: the image, its salient input, and what was drawn. */
export async function makeFigure(): Promise<void> {
  const { asOrder: order, result } = useVariations()
  if (!order || !result) return
  try {
    const { name: image } = await call('reconstructions.keep', order)
    await useFigures().compose({
      format: specFormat, version: specVersion,
      panels: [{ kind: 'reconstruction', reconstruction: order.reconstruction, image, variations: Math.min(most, result.variations.length - 1) }],
    }, `variations-of-image-${order.image}`)
  } catch (error) {
    useNotices().fail(error)
  }
}
