import type { SceneKind } from '#engine/scenes/scenes.ts'
import { pick, pictureOf, wrongSpec, type DataItem, type Label, type LoadedItem, type TrueObject } from './item.ts'
import { madeImage } from './made-image.ts'

const sceneSyntax = /^(scene|scenes|scenes-two|scenes-shifted):([^#]*)(?:#(\d+))?$/
const countLimit = 1_000_000

/** The scenes that a word means; undefined where it is no word of scenes. @throws MaskscopeError 'usage' */
export function sceneItems(spec: string): DataItem[] | undefined {
  const scene = sceneSyntax.exec(spec)
  if (!scene) return undefined
  const [, word, rest, index] = scene
  const single = word === 'scene'
  const match = single ? /^(\d+)$/.exec(rest!) : /^(\d+)@(\d+)$/.exec(rest!)
  if (!match) {
    const wanted = single ? 'scene:SEED, e.g. scene:2000007' : `${word}:COUNT@SEED, e.g. ${word}:20@2000000`
    throw wrongSpec(spec, `"${spec}" is no data set; write ${wanted}.`)
  }
  const count = single ? 1 : Number(match[1])
  const first = Number(single ? match[1] : match[2])
  if (count < 1 || count > countLimit) throw wrongSpec(spec, `"${spec}" asks for ${count} scenes; ask for 1 to ${countLimit}.`)
  if (first + count > 2 ** 32) throw wrongSpec(spec, `"${spec}" goes past the last seed, ${2 ** 32 - 1}; choose a smaller one.`)
  const kind = single ? 'scenes' : (word as SceneKind)
  return pick(Array.from({ length: count }, (_, i) => sceneItem(kind, first + i)), index, spec)
}

/** How a scene is named: `scene:2000007`, `scenes-two:1@2000007`. */
export function sceneReference(kind: SceneKind, seed: number): string {
  return kind === 'scenes' ? `scene:${seed}` : `${kind}:1@${seed}`
}

function sceneItem(kind: SceneKind, seed: number): DataItem {
  const reference = sceneReference(kind, seed)
  return { kind: 'scene', reference, label: () => labelOf(kind, seed), load: () => loadScene(kind, seed, reference) }
}

/** Without painting it. */
async function labelOf(kind: SceneKind, seed: number): Promise<Label | null> {
  const [{ drawRecipe }, { sceneClasses }] = await Promise.all([import('#engine/scenes/recipe.ts'), import('#engine/scenes/scenes.ts')])
  const index = drawRecipe(seed, kind).objects[0]?.class
  return index === undefined ? null : { index, text: sceneClasses[index]! }
}

async function loadScene(kind: SceneKind, seed: number, reference: string): Promise<LoadedItem> {
  const { renderScene, sceneClasses } = await import('#engine/scenes/scenes.ts')
  const scene = renderScene(seed, kind)
  const { width, height } = scene.image
  const objects = scene.objects.map(({ class: index, mask }): TrueObject & { label: Label } => ({
    label: { index, text: sceneClasses[index]! }, truth: { kind: 'object', width, height, mask },
  }))
  const [first] = objects
  const image = await madeImage(reference, pictureOf(scene.image))
  return { ...image, exact: scene.image, objects, ...(first ? { label: first.label, truth: first.truth } : {}) }
}
