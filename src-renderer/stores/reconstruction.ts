import { defineStore } from 'pinia'
import { computed, ref, shallowReactive } from 'vue'
import type { Output } from '#shared/contract/define.ts'
import type { reconstructions as contract, ReconstructionEvent, ReconstructionRow, TrainingPoint, WindowSamples } from '#shared/contract/reconstruction.ts'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import { call, watch } from '../rpc.ts'
import { useHistory } from './history.ts'
import { useNotices } from './notices.ts'
import { paced } from './pace.ts'
import { liveStates } from './runs.ts'

export type ReconstructionDetail = Output<(typeof contract.calls)['reconstructions.read']>

/** What the stage of the Reconstruct view shows. */
export const reconstructTabs = ['training', 'variations', 'classes', 'report'] as const
export type ReconstructTab = (typeof reconstructTabs)[number]

/** States from which one can go on. */
const resumable: readonly ReconstructionRow['state'][] = ['paused', 'cancelled', 'failed', 'interrupted']

export const isLive = (row: Pick<ReconstructionRow, 'state'>): boolean => liveStates.includes(row.state)
export const canResume = (row: Pick<ReconstructionRow, 'state'>): boolean => resumable.includes(row.state)

/** The reconstructions of the open study and how each goes on. */
export const useReconstructions = defineStore('reconstructions', () => {
  const rows = shallowReactive(new Map<string, ReconstructionRow>())
  const list = computed(() => [...rows.values()])
  const selected = ref<string | null>(null)
  const current = computed(() => (selected.value === null ? null : rows.get(selected.value) ?? null))
  const tab = ref<ReconstructTab>('training')
  const details = shallowReactive(new Map<string, ReconstructionDetail>())
  const errors = shallowReactive(new Map<string, MaskscopeError>())
  /** What each epoch's generator made of the same images, by epoch. */
  const samples = shallowReactive(new Map<string, ReadonlyMap<number, WindowSamples>>())

  const courses = new Map<string, TrainingPoint[]>()
  /** Counts the changes of each course, as often as live things are drawn. */
  const versions = shallowReactive(new Map<string, number>())
  const touched = new Set<string>()
  const show = paced(() => {
    for (const one of touched) versions.set(one, (versions.get(one) ?? 0) + 1)
    touched.clear()
  })

  function touch(name: string): void {
    touched.add(name)
    show()
  }

  let begun = false
  /** When the view is opened first; the stream lives as long as the window then. */
  function begin(): void {
    if (begun) return
    begun = true
    watch('reconstructions.watch', {}, hear)
  }

  function hear(event: ReconstructionEvent): void {
    switch (event.type) {
      case 'snapshot':
        for (const map of [rows, details, errors, samples, courses]) map.clear()
        for (const row of event.rows) rows.set(row.reconstruction, row)
        if (selected.value === null || !rows.has(selected.value)) select((event.rows.findLast(isLive) ?? event.rows.at(-1))?.reconstruction ?? null)
        else void load(selected.value)
        return
      case 'row': {
        const before = rows.get(event.row.reconstruction)
        rows.set(event.row.reconstruction, event.row)
        if (!before) courses.set(event.row.reconstruction, [])
        // What was seen of a phase is replaced by what is stored of it.
        if (before && (before.phase !== event.row.phase || before.state !== event.row.state)) void load(event.row.reconstruction, true)
        return
      }
      case 'removed':
        rows.delete(event.reconstruction)
        if (selected.value === event.reconstruction) select(list.value.at(-1)?.reconstruction ?? null)
        return
      case 'progress': {
        const row = rows.get(event.reconstruction)
        const { phase, done, all, secondsLeft, epoch } = event
        if (row) rows.set(event.reconstruction, { ...row, phase, done, all, secondsLeft, epoch })
        return
      }
      case 'point':
        addPoints(event.reconstruction, [event.point])
        return
      case 'samples':
        keepSamples(event.reconstruction, event.epoch, event.samples)
    }
  }

  /** Points that are there already change nothing, so that an answer and the events around it may overlap. */
  function addPoints(name: string, points: readonly TrainingPoint[]): void {
    const course = courses.get(name) ?? []
    courses.set(name, course)
    for (const point of points) if (point.at > (course.at(-1)?.at ?? 0)) course.push(point)
    touch(name)
  }

  function keepSamples(name: string, epoch: number, made: WindowSamples): void {
    samples.set(name, new Map([...samples.get(name) ?? [], [epoch, made] as const].sort(([a], [b]) => a - b)))
  }

  /** Reading it inside a computed or an effect makes that follow the course; a new list every time, as a computed passes on what is new only. */
  function courseOf(name: string | null): readonly TrainingPoint[] {
    if (name === null) return []
    void versions.get(name)
    return courses.get(name)?.slice() ?? []
  }

  const loading = new Map<string, Promise<void>>()

  /** Fetches what is stored of it; never rejects. */
  async function load(name: string, again = false): Promise<void> {
    if (!again && details.has(name)) return
    const before = loading.get(name)
    const mine = (before ?? Promise.resolve()).then(() => fetchDetail(name))
    loading.set(name, mine)
    await mine
    if (loading.get(name) === mine) loading.delete(name)
  }

  async function fetchDetail(name: string): Promise<void> {
    try {
      const detail = await call('reconstructions.read', { reconstruction: name })
      details.set(name, detail)
      errors.delete(name)
      const after = courses.get(name) ?? []
      courses.set(name, [])
      addPoints(name, detail.points)
      addPoints(name, after)
      for (const epoch of detail.samples) {
        if (!samples.get(name)?.has(epoch)) keepSamples(name, epoch, await call('reconstructions.samples', { reconstruction: name, epoch }))
      }
    } catch (error) {
      errors.set(name, error as MaskscopeError)
    }
  }

  function select(name: string | null): void {
    selected.value = name
    if (name !== null) void load(name)
  }

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      useNotices().fail(error)
    }
  }

  const pause = (name: string): Promise<void> => attempt(() => call('reconstructions.pause', { reconstruction: name }))
  const resume = (name: string): Promise<void> => attempt(() => call('reconstructions.resume', { reconstruction: name }))
  const cancel = (name: string): Promise<void> => attempt(() => call('reconstructions.cancel', { reconstruction: name }))

  /** Done at once; a notice and the history offer to take it back. */
  async function remove(name: string): Promise<void> {
    const history = useHistory()
    const one = { reconstructions: [name] }
    await attempt(async () => {
      await call('reconstructions.delete', one)
      history.did({
        title: `Delete reconstruction ${name}`,
        undo: async () => void (await call('reconstructions.restore', one)),
        redo: async () => void (await call('reconstructions.delete', one)),
      })
      useNotices().say('Reconstruction deleted.', { label: 'Undo', run: () => void history.undo() })
    })
  }

  return {
    rows, list, selected, current, tab, details, errors, samples,
    begin, hear, load, select, courseOf, pause, resume, cancel, remove,
  }
})
