import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch as watchValue } from 'vue'
import type { Settings } from '#shared/contract/system.ts'
import type { BackendChoice } from '#shared/domain/backend.ts'
import { defaultSettings } from '#shared/domain/settings.ts'
import { call, connection } from '../rpc.ts'
import { useNotices } from './notices.ts'

/** Settings are written so long after the last change. */
const saveAfterMs = 400

/** Who we are talking to, what it computes on, and what the person likes. */
export const useSession = defineStore('session', () => {
  const hello = shallowRef<{ version: string; shell: 'electron' | 'web'; platform: string; nativeDialogs: boolean } | null>(null)
  const backend = shallowRef<(BackendChoice & { workers: number; threads: number }) | null>(null)
  const backendError = ref<string | null>(null)
  /** The defaults until the main side has told its own. */
  const settings = ref<Settings>(structuredClone(defaultSettings))
  const prefersDark = matchMedia('(prefers-color-scheme: dark)')
  const systemDark = ref(prefersDark.matches)
  prefersDark.addEventListener('change', (event) => (systemDark.value = event.matches))
  const dark = computed(() => (settings.value.theme === 'system' ? systemDark.value : settings.value.theme === 'dark'))
  watchValue(dark, (on) => (document.documentElement.dataset['theme'] = on ? 'dark' : 'light'), { immediate: true })

  let saving: ReturnType<typeof setTimeout> | undefined

  /** Once after every connection. */
  async function begin(): Promise<void> {
    hello.value = await call('system.hello', {})
    if (saving === undefined) settings.value = await call('settings.get', {})
  }

  async function findBackend(): Promise<void> {
    try {
      backend.value = await call('system.backend', {})
      backendError.value = null
    } catch (error) {
      backendError.value = (error as Error).message
    }
  }

  /** Takes effect at once and is written a moment later. */
  function change(part: Partial<Settings>): void {
    settings.value = { ...settings.value, ...part }
    clearTimeout(saving)
    saving = setTimeout(save, saveAfterMs)
  }

  function save(): void {
    write().catch((error: unknown) => useNotices().fail(error))
  }

  async function write(): Promise<void> {
    clearTimeout(saving)
    saving = undefined
    await call('settings.change', settings.value)
  }

  /** Takes effect here and on the main side. */
  async function changeNow(part: Partial<Settings>): Promise<void> {
    settings.value = { ...settings.value, ...part }
    await write()
  }

  // A window that is closed or reloaded right after a change keeps it.
  addEventListener('pagehide', () => {
    if (saving !== undefined) save()
  })

  function changeStage(part: Partial<Settings['stage']>): void {
    change({ stage: { ...settings.value.stage, ...part } })
  }

  /** ⌘ on a Mac, Ctrl elsewhere. */
  const mac = computed(() => /mac|darwin/i.test(hello.value?.platform ?? navigator.platform))

  return { hello, backend, backendError, settings, dark, mac, connection, begin, findBackend, change, changeNow, changeStage }
})
