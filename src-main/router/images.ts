import type { CallsOf, Parts } from './parts.ts'

export function imageCalls({ images, models, pool, host }: Parts): CallsOf<'images' | 'scenes' | 'data'> {
  const told = host.told ?? ((text: string) => text)
  return {
    'images.open': ({ from }) => images.open(from),
    'images.picture': async ({ image }) => ({ png: await images.picture(image) }),
    'images.classify': async ({ model, image, top }) => {
      const { classifyItem } = await import('#services/classify.ts')
      return classifyItem(pool, await models.get(model), await images.load(image), top)
    },
    'data.page': async ({ data, first, count }) => {
      const { total, entries } = await images.page(data, first, count)
      return { total, entries: entries.map((entry) => ({ ...entry, problem: entry.problem && told(entry.problem) })) }
    },
    'scenes.page': async ({ kind, first, count }) => {
      const { scenesPage } = await import('#services/gallery.ts')
      return scenesPage(kind, first, count)
    },
  }
}
