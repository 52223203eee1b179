import type { Context } from '#renderer/components/stage/draw.ts'

export interface Recorded {
  name: string
  values: unknown[]
  smoothing: boolean
}

/** A canvas context that writes down what is asked of it. */
export function recordingContext(): { ctx: Context; calls: Recorded[]; of(name: string): Recorded[] } {
  const calls: Recorded[] = []
  const state: Record<string, unknown> = { imageSmoothingEnabled: true }
  const ctx = new Proxy(state, {
    get: (target, name: string) => (name in target ? target[name]
      : (...values: unknown[]) => void calls.push({ name, values, smoothing: Boolean(target['imageSmoothingEnabled']) })),
    set: (target, name: string, value) => {
      target[name] = value
      return true
    },
  }) as unknown as Context
  return { ctx, calls, of: (name) => calls.filter((call) => call.name === name) }
}
