import { defineStore } from 'pinia'
import { computed, shallowReactive } from 'vue'
import { useDialogs } from './dialogs.ts'
import { useNotices } from './notices.ts'
import { useSession } from './session.ts'
import { viewShown } from './views.ts'

/** Something the person can do, by menu, palette, key or button; all of them run the same. */
export interface Command {
  /** kebab-case; menus of the desktop program name it by this. */
  id: string
  title: string
  group: 'File' | 'Run' | 'Stage' | 'View' | 'Edit' | 'Help'
  /** E.g. "Mod+Enter", "Mod+Shift+M", "Space", "ArrowLeft", "?"; Mod is ⌘ on a Mac and Ctrl elsewhere. */
  keys?: readonly string[]
  /** Its keys count only while the stage, or nothing that takes keys itself, has the focus. */
  onStage?: boolean
  /** While text is typed its keys belong to the text. */
  notInText?: boolean
  /** The view that it belongs to: elsewhere there is no such command, and its keys may mean another. */
  view?: string
  enabled?(): boolean
  /** Where it is not enabled: one sentence that says what is missing. */
  why?(): string | null
  run(): void | Promise<void>
}

export const useCommands = defineStore('commands', () => {
  const session = useSession()
  const dialogs = useDialogs()
  const notices = useNotices()
  const commands = shallowReactive(new Map<string, Command>())
  const here = ({ view }: Command): boolean => view === undefined || view === viewShown.value
  /** Those of the view that is shown, and those of the whole window. */
  const list = computed(() => [...commands.values()].filter(here))

  /** @param view of all of them, where they belong to one @returns what takes them away again */
  function register(given: readonly Command[], view?: string): () => void {
    const added = view === undefined ? given : given.map((command) => ({ ...command, view }))
    for (const command of added) commands.set(command.id, command)
    return () => {
      for (const command of added) if (commands.get(command.id) === command) commands.delete(command.id)
    }
  }

  function run(id: string): void {
    const command = commands.get(id)
    if (command && here(command) && (command.enabled?.() ?? true)) perform(command)
  }

  function perform(command: Command): void {
    // Some end at once, some later; both may fail.
    new Promise((resolve) => resolve(command.run())).catch((error: unknown) => notices.fail(error))
  }

  /** Runs what a key press means. @returns whether it meant something */
  function press(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || event.isComposing) return false
    const pressed = keyOf(event, session.mac)
    const inField = takesKey(event.target, pressed)
    for (const command of commands.values()) {
      if (!command.keys?.includes(pressed) || !here(command)) continue
      if (command.onStage && (inField || dialogs.open !== null)) continue
      if (command.notInText && takesText(event.target)) continue
      // A browser has uses of its own for keys such as Ctrl+O; here they mean ours, or nothing.
      const enabled = command.enabled?.() ?? true
      if (enabled || pressed.startsWith('Mod+')) event.preventDefault()
      if (!enabled || (dialogs.open !== null && command.group !== 'Help')) continue
      perform(command)
      return true
    }
    return false
  }

  return { list, register, run, press }
})

/** E.g. "Mod+Shift+Z". */
export function keyOf(event: KeyboardEvent, mac: boolean): string {
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key
  const parts: string[] = []
  if (mac ? event.metaKey : event.ctrlKey) parts.push('Mod')
  if (event.altKey) parts.push('Alt')
  // Signs such as "?" already say that Shift was held.
  if (event.shiftKey && (key.length > 1 || /[A-Z]/.test(key))) parts.push('Shift')
  return [...parts, key].join('+')
}

/** Whether a plain key belongs to what has the focus: to fields, sliders, lists, menus and dialogs all of them, to buttons two. */
function takesKey(target: EventTarget | null, pressed: string): boolean {
  if (!(target instanceof HTMLElement)) return false
  // A cell that is a stage itself has only the keys that it handles.
  if (target.hasAttribute('data-stage')) return false
  if (target.isContentEditable || target.closest('input, textarea, select, [role="slider"], [role="combobox"], [role="listbox"], [role="menu"], [role="dialog"], [role="tab"], [role="row"]') !== null) return true
  return target.closest('button, a') !== null && (pressed === 'Space' || pressed === 'Enter')
}

/** Whether letters typed there become text. Number fields take every change at once, so that undo is the window's there. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.matches('textarea, input:not([type="range"], [type="checkbox"], [type="file"], [role="spinbutton"])')
}

/** As a person reads it: "⌘⇧M" or "Ctrl+Shift+M". */
export function keyText(keys: string, mac: boolean): string {
  const names: Record<string, string> = mac
    ? { Mod: '⌘', Shift: '⇧', Alt: '⌥', Enter: '↵', ArrowLeft: '←', ArrowRight: '→', Space: 'Space' }
    : { Mod: 'Ctrl', Enter: '↵', ArrowLeft: '←', ArrowRight: '→' }
  // The sign + itself is a key, too.
  const parts = keys === '+' ? ['+'] : keys.split('+')
  return parts.map((part) => names[part] ?? part).join(mac ? '' : '+')
}
