import { inDeleteMode } from './common/parameters.ts'
import { randomSearchSchema } from './evolution/parameters.ts'
import { search, searchBaseline } from './evolution/search.ts'
import { readSettings } from './evolution/settings.ts'
import type { Method } from './method.ts'

/** The control of DE-CAM: as many individuals, drawn like its first ones and judged alike; the map is the mean of the best. Nothing evolves. */
export const randomSearch: Method = {
  id: 'random-search',
  title: 'Random search',
  citation: 'The control of DE-CAM: its individuals and its budget, without evolution.',
  access: 'query',
  spreads: true,
  family: 'perturbation',
  map: { range: [0, 1], signed: false },
  deletes: inDeleteMode,
  ...randomSearchSchema,
  explain: (task) => search(task, readSettings(task.parameters, task.images, { strategy: 'random' })),
  baseline: (task) => searchBaseline(readSettings(task.parameters, task, { strategy: 'random' }), task),
}
