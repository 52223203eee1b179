import type { Session } from 'electron'
import { expect, test, vi } from 'vitest'
import { refusePermissions } from '#main/shells/electron/permissions.ts'
import { fakeEvent, fakeSession } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

const others = [
  'clipboard-read', 'deprecated-sync-clipboard-read', 'media', 'display-capture', 'fileSystem', 'fullscreen', 'geolocation', 'hid', 'serial', 'usb', 'midi',
  'midiSysex', 'notifications', 'openExternal', 'pointerLock', 'persistent-storage', 'local-fonts', 'storage-access', 'window-management', 'unknown', 'x',
]

function refusing() {
  const session = fakeSession()
  refusePermissions(session as unknown as Session)
  return session
}

test('security 6: asked or checked, only writing to the clipboard is allowed', () => {
  const session = refusing()
  const request = session.setPermissionRequestHandler.mock.calls[0]![0] as (contents: null, permission: string, answer: (granted: boolean) => void) => void
  const check = session.setPermissionCheckHandler.mock.calls[0]![0] as (contents: null, permission: string) => boolean
  for (const permission of [...others, 'clipboard-sanitized-write']) {
    const answer = vi.fn()
    request(null, permission, answer)
    const allowed = permission === 'clipboard-sanitized-write'
    expect(answer, permission).toHaveBeenCalledExactlyOnceWith(allowed)
    expect(check(null, permission), permission).toBe(allowed)
  }
})

test('security 6: devices and screens are refused', () => {
  const session = refusing()
  expect((session.setDevicePermissionHandler.mock.calls[0]![0] as () => boolean)()).toBe(false)
  const pairing = vi.fn()
  ;(session.setBluetoothPairingHandler.mock.calls[0]![0] as (details: object, answer: unknown) => void)({}, pairing)
  expect(pairing).toHaveBeenCalledExactlyOnceWith({ confirmed: false })
  const screens = vi.fn()
  ;(session.setDisplayMediaRequestHandler.mock.calls[0]![0] as (request: object, answer: unknown) => void)({}, screens)
  expect(screens).toHaveBeenCalledExactlyOnceWith(null)
  for (const [name, parameters, answered] of [['select-hid-device', [{}], []], ['select-usb-device', [{}], []], ['select-serial-port', [[], {}], ['']]] as const) {
    const event = fakeEvent()
    const answer = vi.fn()
    session.emit(name, event, ...parameters, answer)
    expect(event.defaultPrevented, name).toBe(true)
    expect(answer, name).toHaveBeenCalledExactlyOnceWith(...answered)
  }
})
