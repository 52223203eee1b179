import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { onTestFinished } from 'vitest'
import type { Component } from 'vue'
import type { Host } from '#renderer/host/host.ts'
import { useClient } from '#renderer/rpc.ts'
import { useImages } from '#renderer/stores/images.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { pace } from '#renderer/stores/pace.ts'
import { useRuns } from '#renderer/stores/runs.ts'
import { viewShown } from '#renderer/stores/views.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { fakeClient, type Answers, type FakeClient } from './fake-client.ts'
import { method, openImage, openModel, reading } from './samples.ts'

const mounted = new Set<VueWrapper>()

/** What is not needed any more must not follow what is of the whole window: files of tests share a process. */
function unmountAll(): void {
  for (const wrapper of mounted) if (wrapper.exists()) wrapper.unmount()
  mounted.clear()
}

/** Fresh stores over a main side that answers from a table. */
export async function beginStores(answers: Answers = {}, host?: Host): Promise<FakeClient> {
  unmountAll()
  document.body.replaceChildren()
  pace.interval = 0
  viewShown.value = 'explain'
  setActivePinia(createPinia())
  const client = fakeClient({
    'methods.list': () => [method],
    'metrics.list': () => [],
    'metrics.ofRun': () => [],
    'images.classify': () => reading,
    'models.bundled': () => [{ name: 'demo', title: 'Demo', note: 'Ten kinds of drawn objects' }],
    'settings.change': (settings) => settings as never,
    'runs.read': () => Promise.reject(new Error('not at hand')),
    'runs.course': () => ({
      columns: ['total', 'probability'], iterations: new Float32Array(0), values: new Float32Array(0),
      frames: { iterations: [], height: 1, width: 1, data: new Float32Array(0) },
    }),
    ...answers,
  })
  useClient(client, host)
  await useOrder().begin()
  return client
}

/** The demo and one image are open. */
export async function openBoth(): Promise<void> {
  useModels().adopt(openModel())
  useImages().adopt([openImage()])
  await flushPromises()
}

/** The study holds these runs; the last one that is live, else the last, is selected. */
export async function showRuns(rows: RunRow[]): Promise<void> {
  useRuns().hear({ type: 'snapshot', study: { name: 'study', place: '/study' }, rows })
  await flushPromises()
}

/** In the document, as focus and popovers need it. */
export function show<T extends Component>(component: T, props: Record<string, unknown> = {}): VueWrapper {
  const wrapper = mount(component as Component, { props, attachTo: document.body })
  mounted.add(wrapper)
  onTestFinished(unmountAll)
  return wrapper
}

/** Once more after what is drawn by display frames. */
export async function settled(): Promise<void> {
  await flushPromises()
  await new Promise((resolve) => requestAnimationFrame(resolve))
  await flushPromises()
}
