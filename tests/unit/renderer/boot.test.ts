// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createApp, h, nextTick, type App, type VNode } from 'vue'
import { catchErrors, hearShell } from '#renderer/boot.ts'
import { useClient } from '#renderer/rpc.ts'
import { useCommands } from '#renderer/stores/commands.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { fakeClient, type FakeClient } from './fake-client.ts'

let client: FakeClient
beforeEach(() => {
  setActivePinia(createPinia())
  document.body.replaceChildren()
  client = fakeClient({ 'system.report': () => ({}) })
  useClient(client)
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => {
  vi.restoreAllMocks()
})

const shown = (): string[] => useNotices().notices.map((notice) => notice.message)

describe('what nobody caught is shown, and told to the main side', () => {
  /** A page of its own for each test, so that nobody else's listeners hear. */
  function page(): Window {
    return new EventTarget() as unknown as Window
  }

  const program = (render: () => VNode | null): App => createApp({ setup: () => render })

  test('an error of a handler, and of a component while it is drawn', async () => {
    const app = program(() => h('button', { onClick: () => { throw new Error('the handler broke') } }))
    catchErrors(app, page())
    const root = document.createElement('div')
    app.mount(root)
    root.querySelector('button')!.click()
    await nextTick()
    app.unmount()
    const drawn = program(() => { throw new Error('drawing broke') })
    catchErrors(drawn, page())
    drawn.mount(document.createElement('div'))
    await nextTick()
    expect(shown()).toEqual(['the handler broke', 'drawing broke'])
    expect(client.inputsOf('system.report')).toMatchObject([
      { message: 'the handler broke', stack: expect.stringContaining('boot.test') as string }, { message: 'drawing broke' },
    ])
  })

  test('an error of the page, but not what browsers say of a layout in two rounds', async () => {
    const target = page()
    catchErrors(program(() => null), target)
    target.dispatchEvent(Object.assign(new Event('error'), { message: 'Uncaught', error: new Error('a timer broke') }))
    target.dispatchEvent(Object.assign(new Event('error'), { message: 'Script error.', error: null }))
    target.dispatchEvent(Object.assign(new Event('error'), { message: 'ResizeObserver loop completed with undelivered notifications.', error: null }))
    await nextTick()
    expect(shown()).toEqual(['a timer broke', 'Script error.'])
    expect(client.inputsOf('system.report').map((report) => report.message)).toEqual(['a timer broke', 'Script error.'])
  })

  test('a promise that nobody heard fail, with a long story cut; what cannot be told is shown all the same', async () => {
    const target = page()
    catchErrors(program(() => null), target)
    target.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: new Error('x'.repeat(30_000)) }))
    client.answers = {}
    target.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: 'nobody there' }))
    await nextTick()
    expect(client.inputsOf('system.report')[0]!.message).toHaveLength(20_000)
    expect(shown().at(-1)).toBe('nobody there')
  })
})

describe('undo and redo of the desktop program\'s menu', () => {
  test('mean the text where text is typed, and else what the person did last', () => {
    const run = vi.fn()
    for (const id of ['undo', 'redo']) useCommands().register([{ id, title: id, group: 'Edit', keys: [], notInText: true, run: () => run(id) }])
    const ofText = vi.fn(() => true)
    document.execCommand = ofText
    const wrapper = mount({ template: '<div><input><button>Go</button></div>' }, { attachTo: document.body })
    wrapper.get('input').element.focus()
    hearShell({ type: 'command', id: 'undo' })
    hearShell({ type: 'command', id: 'redo' })
    expect(ofText.mock.calls).toEqual([['undo'], ['redo']])
    expect(run).not.toHaveBeenCalled()
    wrapper.get('button').element.focus()
    hearShell({ type: 'command', id: 'undo' })
    hearShell({ type: 'command', id: 'redo' })
    expect(run.mock.calls).toEqual([['undo'], ['redo']])
    expect(ofText).toHaveBeenCalledTimes(2)
    wrapper.unmount()
  })
})
