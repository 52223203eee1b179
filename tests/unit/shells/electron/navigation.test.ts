import { beforeEach, describe, expect, test, vi } from 'vitest'
import { guardNavigation } from '#main/shells/electron/navigation-guard.ts'
import { decide, outsideUrl } from '#main/shells/electron/navigation-policy.ts'
import { app, FakeContents, fakeEvent, fakeLog, resetElectron, shell } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))
beforeEach(resetElectron)

describe('security 5: what the browser may open', () => {
  test.each([
    ['https://doi.org/10.1000/182', 'https://doi.org/10.1000/182'],
    ['HTTPS://DOI.ORG/x', 'https://doi.org/x'],
    ['https://arxiv.org/abs/1704.03296', 'https://arxiv.org/abs/1704.03296'],
    ['https://github.com:443/a', 'https://github.com/a'],
    ['https://github.com/a\r\n', 'https://github.com/a'],
    ['\u0000https://github.com/a\u001f ', 'https://github.com/a'],
    ['https://github.com/a b"c', 'https://github.com/a%20b%22c'],
    ['https:\\\\github.com\\a', 'https://github.com/a'],
  ])('%j as %s', (address, opened) => {
    expect(outsideUrl(address)).toBe(opened)
  })

  test.each([
    '', 'doi.org', '//doi.org/', 'http://doi.org/', 'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x',
    'file:///etc/passwd', 'FILE://server/share', 'smb://server/share', '\\\\server\\share', '//server/share', 'ms-settings:', 'app://bundle/index.html',
    'https://doi.org.evil.example/', 'https://evildoi.org/', 'https://www.github.com/', 'https://doi.org@evil.example/', 'https://user:word@doi.org/',
    'https://doi.org:8443/', 'https://evil.example/https://doi.org/', 'https://evil.example\\@doi.org/', 'https://evil.example#@doi.org/', 'https://doi.org./',
    'https://dоi.org/', 'blob:https://doi.org/1', 'view-source:https://doi.org/', 'https://', 'https:///',
  ])('not %j', (address) => {
    expect(outsideUrl(address)).toBeNull()
  })

  test('nor what is no text', () => {
    for (const value of [null, undefined, 1, {}, new URL('https://doi.org/')]) expect(outsideUrl(value)).toBeNull()
  })
})

test('security 4: only a link that opens a window leads outside', () => {
  expect(decide('window-open', 'https://doi.org/x')).toEqual({ open: 'https://doi.org/x' })
  for (const departure of ['will-navigate', 'will-redirect', 'will-frame-navigate', 'will-attach-webview'] as const) {
    expect(decide(departure, 'https://doi.org/x')).toEqual({ open: null })
  }
})

describe('security 4: the guard of every page', () => {
  function guarded() {
    const log = fakeLog()
    guardNavigation(log)
    const contents = new FakeContents()
    app.emit('web-contents-created', {}, contents)
    return { contents, log }
  }

  test.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])('%s is refused, our own address included', (name) => {
    const { contents, log } = guarded()
    for (const url of ['https://doi.org/', 'app://bundle/index.html', 'file:///etc/passwd']) {
      const event = fakeEvent({ url })
      contents.emit(name, event)
      expect(event.defaultPrevented).toBe(true)
    }
    expect(log.warn).toHaveBeenCalledTimes(3)
    expect(shell.openExternal).not.toHaveBeenCalled()
  })

  test('a webview is refused', () => {
    const { contents } = guarded()
    const event = fakeEvent()
    contents.emit('will-attach-webview', event, {}, { src: 'https://doi.org/' })
    expect(event.defaultPrevented).toBe(true)
  })

  test('no window opens; the browser opens what is listed, written anew', () => {
    const { contents, log } = guarded()
    expect(contents.windowOpenHandler({ url: 'HTTPS://doi.org/x\n' })).toEqual({ action: 'deny' })
    expect(shell.openExternal).toHaveBeenCalledExactlyOnceWith('https://doi.org/x')
    expect(contents.windowOpenHandler({ url: 'https://evil.example/' })).toEqual({ action: 'deny' })
    expect(shell.openExternal).toHaveBeenCalledOnce()
    expect(log.warn).toHaveBeenCalledOnce()
  })

  test('a system without a browser is a line in the log', async () => {
    const { contents, log } = guarded()
    shell.openExternal.mockRejectedValueOnce(new Error('no browser'))
    contents.windowOpenHandler({ url: 'https://doi.org/x' })
    await vi.waitFor(() => expect(log.error).toHaveBeenCalledOnce())
  })
})
