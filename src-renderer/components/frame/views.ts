import { ScanEye } from '@lucide/vue'
import { ref, type Component } from 'vue'
import ExplainView from '../../views/ExplainView.vue'

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
]

export const viewShown = ref(views[0]!.id)
