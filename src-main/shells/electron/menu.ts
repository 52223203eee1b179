import type { MenuItemConstructorOptions } from 'electron'
import type { FileEntry } from '#shared/contract/system.ts'

export interface MenuParts {
  platform: NodeJS.Platform
  /** Reload and the developer tools are offered. */
  devTools: boolean
  /** Where the system keeps no list of its own. */
  recent: readonly FileEntry[]
  /** Does what the window's palette does under this id. */
  run(id: CommandId): void
  open(file: FileEntry): void
}

/** Ids of the window's commands that have a place in the menu. */
export const commandIds = [
  'open-image', 'open-data', 'open-model', 'open-study', 'new-study', 'export', 'undo', 'redo', 'run', 'cancel', 'view-explain', 'theme', 'palette', 'doctor', 'shortcuts',
] as const
export type CommandId = (typeof commandIds)[number]

/** The application's menu: the same commands as the window's palette, under the same ids. */
export function menuTemplate(parts: MenuParts): MenuItemConstructorOptions[] {
  const mac = parts.platform === 'darwin'
  const separator: MenuItemConstructorOptions = { type: 'separator' }

  /** The window listens for the keys itself, as it does in a browser; here they are only shown. */
  function item(id: CommandId, label: string, accelerator?: string): MenuItemConstructorOptions {
    return { id, label, click: () => parts.run(id), ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: false }) }
  }

  const recent: MenuItemConstructorOptions = mac
    ? { role: 'recentDocuments', submenu: [{ role: 'clearRecentDocuments' }] }
    : {
        label: 'Open recent',
        enabled: parts.recent.length > 0,
        submenu: parts.recent.map((file) => ({ label: `${file.name} in ${file.place}`, click: () => parts.open(file) })),
      }

  return [
    ...(mac ? [{ role: 'appMenu' } satisfies MenuItemConstructorOptions] : []),
    {
      label: 'File',
      submenu: [
        item('open-image', 'Open image…', 'CmdOrCtrl+O'),
        item('open-data', 'Open data set…'),
        item('open-model', 'Open model…', 'CmdOrCtrl+Shift+M'),
        separator,
        item('new-study', 'New study…'),
        item('open-study', 'Open study…'),
        recent,
        separator,
        item('export', 'Export figure…', 'CmdOrCtrl+E'),
        separator,
        mac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    {
      label: 'Edit',
      submenu: [
        item('undo', 'Undo', 'CmdOrCtrl+Z'),
        item('redo', 'Redo', 'CmdOrCtrl+Shift+Z'),
        separator,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    { label: 'Run', submenu: [item('run', 'Run', 'CmdOrCtrl+Enter'), item('cancel', 'Cancel', 'CmdOrCtrl+.')] },
    {
      label: 'View',
      submenu: [
        item('view-explain', 'Explain', 'CmdOrCtrl+1'),
        separator,
        item('palette', 'Commands', 'CmdOrCtrl+K'),
        item('theme', 'Light or dark'),
        separator,
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'resetZoom' },
        { role: 'togglefullscreen' },
        ...(parts.devTools ? [separator, { role: 'reload' }, { role: 'toggleDevTools' }] satisfies MenuItemConstructorOptions[] : []),
      ],
    },
    ...(mac ? [{ role: 'windowMenu' } satisfies MenuItemConstructorOptions] : []),
    { role: 'help', submenu: [item('shortcuts', 'Keyboard shortcuts'), item('doctor', 'What it computes on')] },
  ]
}
