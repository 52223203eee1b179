import type { Session } from 'electron'

/** Copying text and pictures out of the window; nothing else. */
const allowed = new Set(['clipboard-sanitized-write'])

/** A page of ours asks for nothing but that, so every other request is refused without asking anybody. */
export function refusePermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => answer(allowed.has(permission)))
  session.setPermissionCheckHandler((_contents, permission) => allowed.has(permission))
  session.setDevicePermissionHandler(() => false)
  session.setBluetoothPairingHandler((_details, answer) => answer({ confirmed: false }))
  session.setDisplayMediaRequestHandler((_request, answer) => answer(null))
  session.on('select-hid-device', refuseDevice)
  session.on('select-serial-port', (event, _ports, _contents, answer) => {
    event.preventDefault()
    answer('')
  })
  session.on('select-usb-device', refuseDevice)
}

function refuseDevice(event: { preventDefault(): void }, _details: unknown, answer: (deviceId?: string) => void): void {
  event.preventDefault()
  answer()
}
