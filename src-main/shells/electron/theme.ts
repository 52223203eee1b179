import { nativeTheme } from 'electron'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { Handlers } from '#shared/link/link.ts'

/** Dialogs, menus and the window's `prefers-color-scheme` follow the theme that the person has chosen. */
export function followTheme(handlers: Handlers<WorkbenchContract>): Handlers<WorkbenchContract> {
  const change = handlers.calls['settings.change']
  return {
    ...handlers,
    calls: {
      ...handlers.calls,
      async 'settings.change'(input, context) {
        const settings = await change(input, context)
        nativeTheme.themeSource = settings.theme
        return settings
      },
    },
  }
}

/** As it was the last time. */
export async function restoreTheme(handlers: Handlers<WorkbenchContract>): Promise<void> {
  const settings = await handlers.calls['settings.get']({}, { signal: new AbortController().signal })
  nativeTheme.themeSource = settings.theme
}
