import { defineStore } from 'pinia'
import { computed } from 'vue'
import { useImages } from './images.ts'
import { useModels } from './models.ts'

/** A scene that the bundled model names rightly and whose mask is easily judged by eye. */
export const demoScene = 'scene:2000007'

/** The bundled model and one of its scenes, in one click. */
export const useDemo = defineStore('demo', () => {
  const models = useModels()
  const images = useImages()

  const opening = computed(() => models.opening || images.opening)

  /** Never rejects: what goes wrong stands with the model or the image. */
  async function open(): Promise<void> {
    await Promise.all([models.open({ bundled: models.bundled[0]?.name ?? 'demo' }), images.open({ scene: demoScene })])
  }

  return { opening, open }
})
