import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { FileEntry } from '#shared/contract/system.ts'
import { call } from '../rpc.ts'
import { useNotices } from './notices.ts'

export interface StudyEntry {
  study: string
  name: string
  runs: number
  /** ISO 8601, UTC. */
  changed: string
}

/** The studies there are; the one that is open stands in the runs. */
export const useStudies = defineStore('studies', () => {
  const list = shallowRef<StudyEntry[]>([])
  /** Opened before, from elsewhere. */
  const recent = shallowRef<FileEntry[]>([])
  const error = ref<string | null>(null)

  async function refresh(): Promise<void> {
    error.value = null
    try {
      const [studies, files] = await Promise.all([call('studies.list', {}), call('files.recent', {})])
      const known = new Set(studies.map((entry) => entry.study))
      list.value = studies.toSorted((a, b) => b.changed.localeCompare(a.changed))
      recent.value = files.studies.filter((entry) => !known.has(entry.handle))
    } catch (caught) {
      error.value = (caught as Error).message
    }
  }

  /** The one that is open stays open where this fails. */
  async function open(study: string): Promise<void> {
    try {
      await call('studies.open', { study })
    } catch (caught) {
      useNotices().fail(caught)
    }
  }

  /** @throws MaskscopeError 'usage' for a name that cannot be taken */
  async function create(name: string): Promise<void> {
    await call('studies.create', { name })
  }

  return { list, recent, error, refresh, open, create }
})
