import type { CallsOf, Parts } from './parts.ts'

export function imageCalls({ images, models, pool }: Parts): CallsOf<'images' | 'scenes' | 'data'> {
  return {
    'images.open': ({ from }) => images.open(from),
    'images.picture': async ({ image }) => ({ png: await images.picture(image) }),
    'images.classify': async ({ model, image, top }) => {
      const { classifyItem } = await import('#services/classify.ts')
      return classifyItem(pool, await models.get(model), await images.load(image), top)
    },
    'data.page': ({ data, first, count }) => images.page(data, first, count),
    'scenes.page': async ({ kind, first, count }) => {
      const { scenesPage } = await import('#services/gallery.ts')
      return scenesPage(kind, first, count)
    },
  }
}
