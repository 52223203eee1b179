import { inDeleteMode } from './common/parameters.ts'
import { deCamSchema } from './evolution/parameters.ts'
import { search, searchBaseline } from './evolution/search.ts'
import { readSettings } from './evolution/settings.ts'
import type { Method } from './method.ts'

/**
 * Our reading of DE-CAM: Differential Evolution looks for masks under which the classifier keeps its answer, from outputs alone,
 * and the map is the mean of what has evolved.
 */
export const deCam: Method = {
  id: 'de-cam',
  title: 'DE-CAM (our reading)',
  citation:
    'S. Karatsiolis, A. Kamilaris: A Model-Agnostic Approach for Generating Saliency Maps to Explain Inferred Decisions of Deep Learning Models. ' +
    'VISAPP 2023. Its abstract, in our reading.',
  access: 'query',
  spreads: true,
  family: 'mask',
  deletes: inDeleteMode,
  ...deCamSchema,
  explain: (task) => search(task, readSettings(task.parameters, task.images)),
  baseline: (task) => searchBaseline(readSettings(task.parameters, task), task),
}
