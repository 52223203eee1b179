import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { RunRow } from '#shared/contract/runs.ts'
import { parseFigureSpec, type FigureSpec, type FigureSpecInput, type PanelSpec } from '#shared/figure/spec.ts'
import { call } from '../rpc.ts'
import { useHistory } from './history.ts'
import { useNotices } from './notices.ts'
import { useOrder } from './order.ts'
import { useRuns } from './runs.ts'
import { viewShown } from './views.ts'

/** A figure is written so long after its last change. */
const saveAfterMs = 400
/** Changes of one field that follow each other so closely are undone together. */
const togetherMs = 1200

/** The figures of the study, and the one that is being composed. */
export const useFigures = defineStore('figures', () => {
  const history = useHistory()
  const runs = useRuns()
  const order = useOrder()
  const names = shallowRef<string[]>([])
  const name = ref<string | null>(null)
  const spec = shallowRef<FigureSpec | null>(null)
  /** Index of the panel whose options are shown. */
  const panel = ref(0)
  const error = ref<string | null>(null)
  const finished = computed(() => runs.list.filter(({ state }) => state === 'finished'))
  const currentPanel = computed(() => spec.value?.panels[Math.min(panel.value, spec.value.panels.length - 1)] ?? null)
  let saving: ReturnType<typeof setTimeout> | undefined
  let last: { title: string; at: number; figure: string; after: FigureSpec } | null = null

  // Another study has other figures.
  watch(() => runs.study.place, () => void refresh(), { immediate: true })

  /** "1 NeuroMask, zebra.jpg": the number that the run's id begins with, its method and image. */
  function runTitle({ run, method, image }: RunRow): string {
    return `${Number.parseInt(run, 10)} ${order.methodTitle(method)}, ${image.name}`
  }

  async function refresh(): Promise<void> {
    if (runs.study.place === '') return
    try {
      names.value = await call('figures.list', {})
      if (name.value === null || !names.value.includes(name.value)) await open(names.value[0] ?? null)
    } catch (caught) {
      error.value = (caught as Error).message
    }
  }

  async function open(next: string | null): Promise<void> {
    await save()
    last = null
    error.value = null
    panel.value = 0
    name.value = next
    spec.value = null
    if (next === null) return
    try {
      const read = await call('figures.read', { name: next })
      if (name.value === next) spec.value = read.spec
    } catch (caught) {
      error.value = (caught as Error).message
    }
  }

  /** Makes a figure of the study, keeps it, and shows it. Other views hand their figures over by this. */
  async function compose(given: FigureSpecInput, wish: string): Promise<void> {
    try {
      const made = parseFigureSpec(JSON.parse(JSON.stringify(given)))
      await save()
      const { name: fresh } = await call('figures.create', { wish: wish.slice(0, 60), spec: made })
      names.value = await call('figures.list', {})
      await open(fresh)
      viewShown.value = 'figures'
      history.did({ title: `Make the figure ${fresh}`, undo: () => discard(fresh), redo: () => bringBack(fresh, made) })
    } catch (caught) {
      useNotices().fail(caught)
    }
  }

  /** @param title as undo says it */
  function change(next: FigureSpec, title: string): void {
    const before = spec.value
    const figure = name.value
    if (!before || figure === null || JSON.stringify(before) === JSON.stringify(next)) return
    put(next)
    const now = Date.now()
    if (last && last.title === title && last.figure === figure && now - last.at < togetherMs) {
      last.at = now
      last.after = next
      return
    }
    const entry = (last = { title, at: now, figure, after: next })
    history.did({
      title,
      undo: () => {
        if (last === entry) last = null
        return restore(figure, before)
      },
      redo: () => restore(figure, entry.after),
    })
  }

  function changePanel(part: Partial<PanelSpec>, title: string): void {
    const now = spec.value
    if (!now) return
    const index = Math.min(panel.value, now.panels.length - 1)
    change({ ...now, panels: now.panels.map((one, i) => (i === index ? { ...one, ...part } as PanelSpec : one)) }, title)
  }

  function put(next: FigureSpec): void {
    spec.value = next
    clearTimeout(saving)
    saving = setTimeout(() => void save(), saveAfterMs)
  }

  async function restore(figure: string, to: FigureSpec): Promise<void> {
    if (name.value !== figure) await open(figure)
    put(to)
    panel.value = Math.min(panel.value, to.panels.length - 1)
  }

  /** Writes what is not written yet. */
  async function save(): Promise<void> {
    if (saving === undefined) return
    clearTimeout(saving)
    saving = undefined
    if (name.value === null || !spec.value) return
    try {
      await call('figures.write', { name: name.value, spec: spec.value })
    } catch (caught) {
      useNotices().fail(caught)
    }
  }

  async function remove(): Promise<void> {
    const figure = name.value
    const kept = spec.value
    if (figure === null) return
    await discard(figure)
    if (kept) history.did({ title: `Delete the figure ${figure}`, undo: () => bringBack(figure, kept), redo: () => discard(figure) })
  }

  async function discard(figure: string): Promise<void> {
    clearTimeout(saving)
    saving = undefined
    await call('figures.remove', { name: figure })
    names.value = await call('figures.list', {})
    if (name.value === figure) await open(names.value[0] ?? null)
  }

  async function bringBack(figure: string, kept: FigureSpec): Promise<void> {
    await call('figures.write', { name: figure, spec: kept })
    names.value = await call('figures.list', {})
    await open(figure)
  }

  addEventListener('pagehide', () => void save())

  return { names, name, spec, panel, currentPanel, finished, runTitle, error, refresh, open, compose, change, changePanel, remove, save }
})
