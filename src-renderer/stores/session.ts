import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch as watchValue } from 'vue'
import type { Settings } from '#shared/contract/system.ts'
import type { BackendChoice } from '#shared/domain/backend.ts'
import { call, connection } from '../rpc.ts'
import { useNotices } from './notices.ts'

/** Until the main side has told its own. */
export const firstSettings: Settings = {
  theme: 'system',
  layout: { left: 284, right: 304, bottom: 130 },
  stage: {
    shown: [true, true, true, true], opacity: 0.7, colormap: 'viridis', normalisation: 'range', threshold: 0, contours: false, smooth: false,
    removed: 'checkerboard',
  },
  logScale: true,
  method: 'neuromask',
}

/** Settings are written so long after the last change. */
const saveAfterMs = 400

/** Who we are talking to, what it computes on, and what the person likes. */
export const useSession = defineStore('session', () => {
  const hello = shallowRef<{ version: string; shell: 'electron' | 'web'; platform: string; nativeDialogs: boolean } | null>(null)
  const backend = shallowRef<(BackendChoice & { workers: number }) | null>(null)
  const backendError = ref<string | null>(null)
  const settings = ref<Settings>(structuredClone(firstSettings))
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
    saving = setTimeout(() => {
      saving = undefined
      call('settings.change', settings.value).catch((error: unknown) => useNotices().fail(error))
    }, saveAfterMs)
  }

  function changeStage(part: Partial<Settings['stage']>): void {
    change({ stage: { ...settings.value.stage, ...part } })
  }

  /** ⌘ on a Mac, Ctrl elsewhere. */
  const mac = computed(() => /mac|darwin/i.test(hello.value?.platform ?? navigator.platform))

  return { hello, backend, backendError, settings, dark, mac, connection, begin, findBackend, change, changeStage }
})
