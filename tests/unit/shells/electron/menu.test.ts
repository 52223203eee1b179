import type { MenuItemConstructorOptions } from 'electron'
import { describe, expect, test, vi } from 'vitest'
import { commandIds, menuTemplate } from '#main/shells/electron/menu.ts'
import type { FileEntry } from '#shared/contract/system.ts'

const zebra: FileEntry = { handle: 'h', name: 'zebra.jpg', kind: 'image', place: '~/photos', bytes: 3 }

function flat(items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] {
  return items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? flat(item.submenu) : [])])
}

function menu(platform: NodeJS.Platform, devTools = false) {
  const run = vi.fn()
  const open = vi.fn()
  const template = menuTemplate({ platform, devTools, recent: [zebra], run, open })
  return { run, open, template, items: flat(template) }
}

describe.each(['linux', 'win32', 'darwin'] as const)('the menu on %s', (platform) => {
  test('has every command once, and runs it under its own id', () => {
    const { items, run } = menu(platform)
    const commands = items.filter((item) => item.id !== undefined)
    expect(commands.map((item) => item.id).sort()).toEqual([...commandIds].sort())
    for (const item of commands) (item.click as () => void)()
    expect(run.mock.calls.map(([id]) => id as string)).toEqual(commands.map((item) => item.id))
  })

  test('shows keys and leaves them to the window, no key twice', () => {
    const keys = menu(platform).items.filter((item) => item.accelerator !== undefined)
    expect(keys.every((item) => item.registerAccelerator === false)).toBe(true)
    expect(new Set(keys.map((item) => item.accelerator)).size).toBe(keys.length)
    expect(keys.find((item) => item.id === 'open-image')!.accelerator).toBe('CmdOrCtrl+O')
  })

  test('copies and pastes by the system\'s roles, and undoes by the window\'s command', () => {
    const roles = menu(platform).items.map((item) => item.role)
    for (const role of ['cut', 'copy', 'paste', 'selectAll', 'zoomIn', 'zoomOut', 'resetZoom'] as const) expect(roles).toContain(role)
    expect(roles).not.toContain('undo')
    expect(roles).not.toContain('editMenu')
  })

  test('security 10: offers reload and the developer tools only where they are allowed', () => {
    for (const role of ['reload', 'toggleDevTools', 'forceReload'] as const) expect(menu(platform).items.map((item) => item.role)).not.toContain(role)
    expect(menu(platform, true).items.map((item) => item.role)).toEqual(expect.arrayContaining(['reload', 'toggleDevTools']))
  })
})

test('recent files: the system\'s own list on a Mac, ours elsewhere', () => {
  expect(menu('darwin').items.map((item) => item.role)).toContain('recentDocuments')
  const { items, open } = menu('linux')
  const entry = items.find((item) => item.label === 'zebra.jpg in ~/photos')!
  ;(entry.click as () => void)()
  expect(open).toHaveBeenCalledExactlyOnceWith(zebra)
  expect(menuTemplate({ platform: 'linux', devTools: false, recent: [], run: vi.fn(), open: vi.fn() })[0]!.submenu).toContainEqual(
    expect.objectContaining({ label: 'Open recent', enabled: false }))
})
