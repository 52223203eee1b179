import { parseFigureSpec, specFormat, specVersion } from '#shared/figure/spec.ts'
import { call } from '../../rpc.ts'
import { useHistory } from '../../stores/history.ts'
import { useNotices } from '../../stores/notices.ts'
import { useVariations } from '../../stores/variations.ts'

/** Most that a sheet shows. */
const most = 24

/** Keeps the variations on the stage in the study, and makes a sheet of them: the image, its salient input, and what was drawn. */
export async function makeFigure(): Promise<void> {
  const { asOrder: order, result } = useVariations()
  if (!order || !result) return
  try {
    const { name: image } = await call('reconstructions.keep', order)
    const spec = parseFigureSpec({
      format: specFormat, version: specVersion,
      panels: [{ kind: 'reconstruction', reconstruction: order.reconstruction, image, variations: Math.min(most, result.variations.length - 1) }],
    })
    let { name } = await call('figures.create', { wish: `variations-of-image-${order.image}`, spec })
    useHistory().did({
      title: `Make the figure ${name}`,
      undo: async () => void (await call('figures.remove', { name })),
      redo: async () => void ({ name } = await call('figures.create', { wish: name, spec })),
    })
    useNotices().say(`The study has the figure ${name} now.`)
  } catch (error) {
    useNotices().fail(error)
  }
}
