import { app, Menu } from 'electron'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import type { Handlers } from '#shared/link/link.ts'
import { menuTemplate, type MenuParts } from './menu.ts'

const mostRecent = 10

/** Tells the system of a file that was opened: the Dock and the task bar list it. */
export function rememberFile(file: string): void {
  app.addRecentDocument(file)
}

/** What was opened last, of each kind in turn, as far as it is still there. */
export async function recentFiles(handlers: Handlers<WorkbenchContract>): Promise<FileEntry[]> {
  const { studies, models, images } = await handlers.calls['files.recent']({}, { signal: new AbortController().signal })
  return [...studies.slice(0, 4), ...models.slice(0, 3), ...images.slice(0, 3)].slice(0, mostRecent)
}

/** Sets the application's menu anew: a menu that is shown does not change. */
export function showMenu(parts: MenuParts): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(parts)))
}
