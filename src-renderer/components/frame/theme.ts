import type { Settings } from '#shared/contract/system.ts'

const order = ['system', 'light', 'dark'] as const

export function nextTheme(theme: Settings['theme']): Settings['theme'] {
  return order[(order.indexOf(theme) + 1) % order.length]!
}
