import { setImmediate } from 'node:timers/promises'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { SceneKind } from '#engine/scenes/scenes.ts'
import { pictureOf, sceneReference } from './datasets.ts'
import { encodePng } from './images.ts'
import { own } from './thumbnails.ts'

export interface GalleryEntry {
  reference: string
  /** The object's class. */
  label: string
  /** PNG, as large as the scene. */
  thumbnail: Uint8Array<ArrayBuffer>
}

/**
 * Scenes to choose from, in the order of their seeds.
 * @throws MaskscopeError 'usage' past the last seed
 */
export async function scenesPage(kind: SceneKind, first: number, count: number): Promise<GalleryEntry[]> {
  if (first + count > 2 ** 32) throw new MaskscopeError('usage', `The last scene has the seed ${2 ** 32 - 1}; choose a smaller one.`, { subject: 'first' })
  const { renderScene, sceneClasses } = await import('#engine/scenes/scenes.ts')
  const entries: GalleryEntry[] = []
  for (let seed = first; seed < first + count; seed++) {
    const { image, objects } = renderScene(seed, kind)
    const thumbnail = own(await encodePng(pictureOf(image)))
    entries.push({ reference: sceneReference(kind, seed), label: sceneClasses[objects[0]?.class ?? -1] ?? '', thumbnail })
    // A page of a hundred must not hold up what else is asked for.
    await setImmediate()
  }
  return entries
}
