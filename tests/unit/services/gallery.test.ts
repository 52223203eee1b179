import sharp from 'sharp'
import { expect, test } from 'vitest'
import { renderScene, sceneClasses } from '#engine/scenes/scenes.ts'
import { scenesPage } from '#services/gallery.ts'

test('a page of scenes: by name and class, drawn as they are', async () => {
  const page = await scenesPage('scenes-shifted', 2_000_010, 4)
  expect(page.map((entry) => entry.reference)).toEqual([10, 11, 12, 13].map((i) => `scenes-shifted:1@20000${i}`))
  const { image, objects } = renderScene(2_000_012, 'scenes-shifted')
  expect(page[2]!.label).toBe(sceneClasses[objects[0]!.class])
  const pixels = await sharp(page[2]!.thumbnail).raw().toBuffer()
  expect([...pixels]).toEqual(Array.from(image.data, (value) => Math.round(value * 255)))
})

test('there is no scene past the last seed', async () => {
  expect(await scenesPage('scenes', 2 ** 32 - 2, 2)).toHaveLength(2)
  await expect(scenesPage('scenes', 2 ** 32 - 2, 3)).rejects.toMatchObject({ code: 'usage' })
})
