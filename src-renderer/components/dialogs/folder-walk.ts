import { ref, shallowRef } from 'vue'
import type { FileEntry } from '#shared/contract/system.ts'
import { call } from '../../rpc.ts'

/** The way through the folders that the server shows. */
export function useFolderWalk() {
  /** From below the list of roots to the folder that is shown; empty: the roots themselves. */
  const trail = shallowRef<FileEntry[]>([])
  const entries = shallowRef<FileEntry[]>([])
  const note = ref<string | null>(null)
  const loading = ref(false)
  const error = ref<string | null>(null)
  let turn = 0

  /** @returns whether it is shown now; where it is not, what was shown before still is */
  async function show(way: FileEntry[]): Promise<boolean> {
    const mine = ++turn
    loading.value = true
    error.value = null
    try {
      const answer = await call('files.browse', { folder: way.at(-1)?.handle ?? null })
      if (mine !== turn) return false
      trail.value = way
      entries.value = answer.entries
      note.value = answer.note
      return true
    } catch (caught) {
      if (mine === turn) error.value = (caught as Error).message
      return false
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  /** Where it was left the last time; at first the only root, or the list of them. */
  async function begin(): Promise<void> {
    if (trail.value.length > 0 && await show(trail.value)) return
    await show([])
    const [root] = entries.value
    if (root && entries.value.length === 1) await show([root])
  }

  return {
    trail, entries, note, loading, error, show, begin,
    enter: (folder: FileEntry): Promise<boolean> => show([...trail.value, folder]),
    up: (): Promise<boolean> => show(trail.value.slice(0, -1)),
  }
}
