import type { Ref } from 'vue'
import type { FigureChoice } from '#shared/contract/runs.ts'
import { call } from '../../rpc.ts'
import { useDrawing, type FigureDrawing } from '../figures/figure-drawing.ts'

/** The print of a run as the options stand. */
export function useFigurePreview(run: Ref<string | null>, options: Ref<FigureChoice>): FigureDrawing {
  return useDrawing(() => (run.value === null ? null : { run: run.value, options: { ...options.value } }), (order, signal) => call('figures.preview', order, { signal }))
}
