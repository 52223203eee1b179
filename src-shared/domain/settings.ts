import type { Settings } from '../contract/system.ts'

/** How the program looks to somebody who has set nothing. */
export const defaultSettings: Settings = {
  theme: 'system',
  layout: { left: 284, right: 304, bottom: 130 },
  stage: {
    shown: [true, true, true, true], opacity: 0.7, colormap: 'viridis', normalisation: 'range', threshold: 0, contours: false, smooth: false,
    removed: 'checkerboard',
  },
  logScale: true,
  method: 'neuromask',
  executor: 'auto',
  memoryMegabytes: null,
  camLayers: {},
}
