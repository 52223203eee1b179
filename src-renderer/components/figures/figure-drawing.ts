import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import type { FigureSpec } from '#shared/figure/spec.ts'
import { call } from '../../rpc.ts'

/** The figure is asked for so long after the last change. */
const calmMs = 250

export interface FigureDrawing {
  /** Of the SVG, for an `<img>`; the one before stays until the next is there. */
  url: Ref<string | null>
  /** mm */
  size: Ref<{ width: number; height: number } | null>
  caption: Ref<string>
  loading: Ref<boolean>
  error: Ref<MaskscopeError | null>
}

/** A figure as it is drawn, in millimetres. */
interface Drawn {
  svg: BlobPart
  widthMm: number
  heightMm: number
  caption: string
}

/**
 * What is printed as the options stand. Of several changes in a row only the last is drawn, the first at once.
 * @param wanted a new object for every change; null: nothing
 */
export function useDrawing<T extends object>(wanted: () => T | null, draw: (order: T, signal: AbortSignal) => Promise<Drawn>): FigureDrawing {
  const url = ref<string | null>(null)
  const size = shallowRef<{ width: number; height: number } | null>(null)
  const caption = ref('')
  const loading = ref(false)
  const error = shallowRef<MaskscopeError | null>(null)
  let asked = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(order: T): Promise<void> {
    const mine = (asked = new AbortController())
    try {
      const drawn = await draw(order, mine.signal)
      if (mine.signal.aborted) return
      show(URL.createObjectURL(new Blob([drawn.svg], { type: 'image/svg+xml' })))
      size.value = { width: drawn.widthMm, height: drawn.heightMm }
      caption.value = drawn.caption
      error.value = null
    } catch (caught) {
      if (!mine.signal.aborted) error.value = caught as MaskscopeError
    } finally {
      if (!mine.signal.aborted) loading.value = false
    }
  }

  function show(next: string | null): void {
    if (url.value !== null) URL.revokeObjectURL(url.value)
    url.value = next
  }

  watch(wanted, (now, before) => {
    clearTimeout(timer)
    asked.abort()
    loading.value = now !== null
    if (now === null) {
      show(null)
      error.value = null
      return
    }
    timer = setTimeout(() => void ask(now), before ? calmMs : 0)
  }, { immediate: true })

  onScopeDispose(() => {
    clearTimeout(timer)
    asked.abort()
    show(null)
  })

  return { url, size, caption, loading, error }
}

/** A spec as it is printed. */
export function useFigureDrawing(spec: Ref<FigureSpec | null>): FigureDrawing {
  return useDrawing(() => spec.value, (order, signal) => call('figures.draw', { spec: order }, { signal }))
}
