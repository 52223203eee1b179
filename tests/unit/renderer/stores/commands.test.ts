// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import { findCommands } from '#renderer/components/dialogs/palette.ts'
import { keyOf, keyText, useCommands, type Command } from '#renderer/stores/commands.ts'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useHistory } from '#renderer/stores/history.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { viewShown } from '#renderer/stores/views.ts'

beforeEach(() => {
  setActivePinia(createPinia())
  document.body.replaceChildren()
  viewShown.value = 'explain'
})

function pressOn(target: HTMLElement, init: KeyboardEventInit): KeyboardEvent {
  document.body.append(target)
  const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init })
  target.dispatchEvent(event)
  return event
}

test('keys are told apart as they are written down, on a Mac and elsewhere', () => {
  const key = (init: KeyboardEventInit, mac = false): string => keyOf(new KeyboardEvent('keydown', init), mac)
  expect(key({ key: 'k', ctrlKey: true })).toBe('Mod+K')
  expect(key({ key: 'k', metaKey: true }, true)).toBe('Mod+K')
  expect(key({ key: 'k', ctrlKey: true }, true)).toBe('K')
  expect(key({ key: 'Z', ctrlKey: true, shiftKey: true })).toBe('Mod+Shift+Z')
  expect(key({ key: '?', shiftKey: true })).toBe('?')
  expect(key({ key: ' ' })).toBe('Space')
  expect(key({ key: 'ArrowLeft', shiftKey: true })).toBe('Shift+ArrowLeft')
  expect([keyText('Mod+Shift+M', true), keyText('Mod+Shift+M', false), keyText('+', true), keyText('+', false)]).toEqual(['⌘⇧M', 'Ctrl+Shift+M', '+', '+'])
})

test('keys of the stage count only where nothing else takes them; undo leaves text alone, not number fields', () => {
  const commands = useCommands()
  const stage = vi.fn()
  const undo = vi.fn()
  commands.register([
    { id: 'blink', title: 'Blink', group: 'Stage', keys: ['B', 'Space'], onStage: true, run: stage },
    { id: 'undo', title: 'Undo', group: 'Edit', keys: ['Mod+Z'], notInText: true, run: undo },
  ])
  const text = document.createElement('input')
  expect(commands.press(pressOn(text, { key: 'b' }))).toBe(false)
  expect(commands.press(pressOn(document.createElement('div'), { key: 'b' }))).toBe(true)
  expect(stage).toHaveBeenCalledTimes(1)

  // A button that was pressed keeps the focus; of all keys it takes two.
  const button = document.createElement('button')
  expect(commands.press(pressOn(button, { key: 'b' }))).toBe(true)
  expect(commands.press(pressOn(button, { key: ' ' }))).toBe(false)
  expect(stage).toHaveBeenCalledTimes(2)

  const inText = pressOn(text, { key: 'z', ctrlKey: true })
  expect(commands.press(inText)).toBe(false)
  expect(inText.defaultPrevented).toBe(false)
  const number = document.createElement('input')
  number.setAttribute('role', 'spinbutton')
  expect(commands.press(pressOn(number, { key: 'z', ctrlKey: true }))).toBe(true)
  expect(undo).toHaveBeenCalledTimes(1)
})

test('a key of ours never does what the browser means by it, even where it cannot be done now', () => {
  const commands = useCommands()
  const run = vi.fn()
  let able = false
  commands.register([{ id: 'open-image', title: 'Open', group: 'File', keys: ['Mod+O'], enabled: () => able, run }])
  const event = pressOn(document.createElement('div'), { key: 'o', ctrlKey: true })
  expect(commands.press(event)).toBe(false)
  expect(event.defaultPrevented).toBe(true)
  able = true
  useDialogs().show('doctor')
  commands.press(pressOn(document.createElement('div'), { key: 'o', ctrlKey: true }))
  expect(run).not.toHaveBeenCalled()
  useDialogs().close()
  commands.press(pressOn(document.createElement('div'), { key: 'o', ctrlKey: true }))
  expect(run).toHaveBeenCalledTimes(1)
})

test('a command that fails, at once or later, becomes a notice', async () => {
  const commands = useCommands()
  commands.register([
    { id: 'a', title: 'A', group: 'File', run: () => Promise.reject(new Error('The disk is full.')) },
    { id: 'b', title: 'B', group: 'File', run: () => { throw new Error('There is no such place.') } },
  ])
  commands.run('a')
  commands.run('b')
  await Promise.resolve()
  await vi.waitFor(() => expect(useNotices().notices.map((notice) => notice.message).toSorted()).toEqual(['The disk is full.', 'There is no such place.']))
})

test('the palette finds by beginning, word, part and letters, the best first', () => {
  const named = (title: string, group: Command['group'] = 'File'): Command => ({ id: title, title, group, run: () => undefined })
  const all = [named('Run again', 'Run'), named('Copy as command', 'Run'), named('Open an image'), named('Change the theme', 'View')]
  const titles = (text: string): string[] => findCommands(all, text).map((command) => command.title)
  expect(titles('')).toEqual(['Open an image', 'Run again', 'Copy as command', 'Change the theme'])
  expect(titles('a')[0]).toBe('Open an image')
  expect(titles('ima')).toEqual(['Open an image'])
  expect(titles('image file')).toEqual(['Open an image'])
  expect(titles('cpcm')).toEqual(['Copy as command'])
  expect(titles('xyz')).toEqual([])
})

test('what was undone can be redone until something else is done; a failure is told', async () => {
  const history = useHistory()
  const log: string[] = []
  const deed = (title: string) => ({ title, undo: () => void log.push(`-${title}`), redo: () => void log.push(`+${title}`) })
  history.did(deed('a'))
  history.did(deed('b'))
  await history.undo()
  expect([history.undoTitle, history.redoTitle]).toEqual(['a', 'b'])
  await history.redo()
  await history.undo()
  history.did(deed('c'))
  await history.redo()
  expect(log).toEqual(['-b', '+b', '-b'])
  history.did({ title: 'd', undo: () => Promise.reject(new Error('It is gone.')), redo: () => undefined })
  await history.undo()
  expect(useNotices().notices.map((notice) => notice.message)).toEqual(['It is gone.'])
})
