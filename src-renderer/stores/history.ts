import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useNotices } from './notices.ts'

/** Something the person did that can be taken back. */
export interface Deed {
  /** As a button says it: "Delete run 3". */
  title: string
  undo(): void | Promise<void>
  redo(): void | Promise<void>
}

const depth = 200

export const useHistory = defineStore('history', () => {
  const done = ref<Deed[]>([])
  const undone = ref<Deed[]>([])

  /** Remembers what has just been done; what was undone before can no longer be redone. */
  function did(deed: Deed): void {
    done.value = [...done.value.slice(1 - depth), deed]
    undone.value = []
  }

  async function undo(): Promise<void> {
    const deed = done.value.at(-1)
    if (!deed) return
    done.value = done.value.slice(0, -1)
    try {
      await deed.undo()
      undone.value = [...undone.value, deed]
    } catch (error) {
      useNotices().fail(error)
    }
  }

  async function redo(): Promise<void> {
    const deed = undone.value.at(-1)
    if (!deed) return
    undone.value = undone.value.slice(0, -1)
    try {
      await deed.redo()
      done.value = [...done.value, deed]
    } catch (error) {
      useNotices().fail(error)
    }
  }

  return {
    did, undo, redo,
    undoTitle: computed(() => done.value.at(-1)?.title ?? null),
    redoTitle: computed(() => undone.value.at(-1)?.title ?? null),
  }
})
