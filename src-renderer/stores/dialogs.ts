import { defineStore } from 'pinia'
import { ref } from 'vue'

export type DialogId = 'palette' | 'shortcuts' | 'doctor' | 'export' | 'scenes' | 'data' | 'benchmark-data' | 'chooser' | 'inspector' | 'new-study' | 'settings'

/** At most one dialog stands over the window. */
export const useDialogs = defineStore('dialogs', () => {
  const open = ref<DialogId | null>(null)
  return {
    open,
    show: (id: DialogId): void => void (open.value = id),
    close: (): void => void (open.value = null),
  }
})
