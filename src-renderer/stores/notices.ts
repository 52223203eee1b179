import { defineStore } from 'pinia'
import { ref } from 'vue'
import { MaskscopeError } from '#shared/domain/errors.ts'

export interface Notice {
  id: number
  level: 'info' | 'error'
  message: string
  action?: { label: string; run(): void }
}

/** Long enough to read and to reach the undo button. */
const infoMs = 8000

/** What does not belong to a field, row or cell. Errors stay until they are dismissed. */
export const useNotices = defineStore('notices', () => {
  const notices = ref<Notice[]>([])
  let next = 1

  function say(message: string, action?: Notice['action']): void {
    const id = next++
    notices.value.push({ id, level: 'info', message, ...(action ? { action } : {}) })
    setTimeout(() => dismiss(id), infoMs)
  }

  /** An error that has no better place. Cancelling is none. */
  function fail(error: unknown): void {
    if (error instanceof MaskscopeError && error.code === 'cancelled') return
    const message = error instanceof Error ? error.message : String(error)
    if (notices.value.some((notice) => notice.level === 'error' && notice.message === message)) return
    notices.value.push({ id: next++, level: 'error', message })
  }

  function dismiss(id: number): void {
    notices.value = notices.value.filter((notice) => notice.id !== id)
  }

  return { notices, say, fail, dismiss }
})
