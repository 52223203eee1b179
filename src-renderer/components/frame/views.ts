import { ChartScatter, Grid2x2, Image, ScanEye, Shapes } from '@lucide/vue'
import type { Component } from 'vue'
import { viewShown } from '../../stores/views.ts'
import BenchmarkView from '../../views/BenchmarkView.vue'
import CompareView from '../../views/CompareView.vue'
import ExplainView from '../../views/ExplainView.vue'
import FiguresView from '../../views/FiguresView.vue'
import ReconstructView from '../../views/ReconstructView.vue'

export interface View {
  /** Of the command, too: `view-…`. */
  id: string
  title: string
  icon: Component
  component: Component
}

/** Those that exist, in the order of the rail and of their keys. */
export const views: readonly View[] = [
  { id: 'explain', title: 'Explain', icon: ScanEye, component: ExplainView },
  { id: 'compare', title: 'Compare', icon: Grid2x2, component: CompareView },
  { id: 'reconstruct', title: 'Reconstruct', icon: Shapes, component: ReconstructView },
  { id: 'figures', title: 'Figures', icon: Image, component: FiguresView },
  { id: 'benchmark', title: 'Benchmark', icon: ChartScatter, component: BenchmarkView },
]

export { viewShown }

/** What a session kept may be of another version. */
if (!views.some(({ id }) => id === viewShown.value)) viewShown.value = views[0]!.id
