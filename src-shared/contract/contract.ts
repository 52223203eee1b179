import { comparisons } from './comparison.ts'
import { benchmark } from './benchmark.ts'
import { specFigures } from './figures.ts'
import { images, methods, models } from './models.ts'
import { metrics } from './metrics.ts'
import { reconstructions } from './reconstruction.ts'
import { figures, runs, studies } from './runs.ts'
import { system } from './system.ts'

/** Every call and event between the main side and the window. */
export const contract = {
  calls: { ...benchmark.calls, ...system.calls, ...models.calls, ...images.calls, ...methods.calls, ...metrics.calls, ...runs.calls, ...studies.calls, ...figures.calls, ...reconstructions.calls, ...specFigures.calls, ...comparisons.calls },
  streams: { ...benchmark.streams, ...system.streams, ...runs.streams, ...reconstructions.streams },
}

export type WorkbenchContract = typeof contract
