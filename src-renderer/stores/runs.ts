import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch as watchValue } from 'vue'
import type { Course, RunDetail, RunRow, RunsEvent } from '#shared/contract/runs.ts'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import { storedIterations } from '#shared/domain/run.ts'
import { call, watch } from '../rpc.ts'
import { addStep, emptyCourse, readCourse, type RunCourse } from './course.ts'
import { useHistory } from './history.ts'
import { useNotices } from './notices.ts'
import { paced } from './pace.ts'

type ProgressEvent = Extract<RunsEvent, { type: 'progress' }>

/** What a run was made of, at hand again. */
export type Reopened = Awaited<ReturnType<typeof call<'runs.reopen'>>>

export const liveStates: readonly RunRow['state'][] = ['queued', 'running', 'paused']

/** The runs of the open study and how each goes on. */
export const useRuns = defineStore('runs', () => {
  const study = shallowRef<{ name: string; place: string }>({ name: '', place: '' })
  const rows = shallowReactive(new Map<string, RunRow>())
  const list = computed(() => [...rows.values()])
  const selected = ref<string | null>(null)
  const current = computed(() => (selected.value === null ? null : rows.get(selected.value) ?? null))
  const live = computed(() => list.value.filter((row) => liveStates.includes(row.state)))
  /** Shown beside the selected one. */
  const other = ref<string | null>(null)
  /** Counts how often a run was asked for, also the one that is selected already: the stage shows it then. */
  const selections = ref(0)

  const courses = new Map<string, RunCourse>()
  /** Counts the changes of each course, as often as live things are drawn. */
  const versions = shallowReactive(new Map<string, number>())
  /** Steps that came while the course was being fetched. */
  const arriving = new Map<string, ProgressEvent[]>()
  const details = shallowReactive(new Map<string, RunDetail>())
  const detailErrors = shallowReactive(new Map<string, MaskscopeError>())
  const evaluations = shallowReactive(new Map<string, { forward: number; backward: number }>())

  /** The masks of a live run's population. */
  const strips = shallowReactive(new Map<string, Extract<RunsEvent, { type: 'strip' }>['stack']>())

  /** Evaluations that are not shown yet. */
  const spent = new Map<string, { forward: number; backward: number }>()
  const touched = new Set<string>()
  const show = paced(() => {
    for (const name of touched) {
      versions.set(name, (versions.get(name) ?? 0) + 1)
      // Numbers in a row change with the pictures too, not at every step.
      const row = rows.get(name)
      const course = courses.get(name)
      if (row && course && liveStates.includes(row.state)) rows.set(name, withProgress(row, course))
    }
    for (const [name, count] of spent) evaluations.set(name, count)
    touched.clear()
    spent.clear()
  })
  function touch(run: string): void {
    touched.add(run)
    show()
  }

  function withProgress(row: RunRow, course: RunCourse): RunRow {
    const iteration = course.iterations.at(-1)
    if (iteration === undefined) return row
    return {
      ...row, iteration, seconds: course.seconds, area: course.live?.area ?? row.area,
      probability: { ...row.probability, masked: course.probability.at(-1) ?? null },
    }
  }

  /** Once; the stream lives as long as the window. */
  function begin(): void {
    watch('runs.watch', {}, hear)
  }

  function hear(event: RunsEvent): void {
    switch (event.type) {
      case 'snapshot': {
        const same = study.value.place === event.study.place && study.value.name === event.study.name
        study.value = event.study
        rows.clear()
        courses.clear()
        details.clear()
        detailErrors.clear()
        for (const row of event.rows) rows.set(row.run, row)
        if (!same || selected.value === null || !rows.has(selected.value)) selected.value = event.rows.findLast((row) => liveStates.includes(row.state))?.run ?? event.rows.at(-1)?.run ?? null
        if (other.value !== null && !rows.has(other.value)) other.value = null
        if (selected.value !== null) void load(selected.value)
        return
      }
      case 'row': {
        const before = rows.get(event.row.run)
        rows.set(event.row.run, event.row)
        // A run that begins under our eyes needs no fetching.
        if (!before && liveStates.includes(event.row.state) && event.row.iteration === 0) courses.set(event.row.run, emptyCourse())
        if (before && before.state !== event.row.state && !liveStates.includes(event.row.state)) settle(event.row.run)
        else if (before?.state === 'queued' && event.row.state !== 'queued') begun(event.row.run)
        else if (before?.state === 'running' && event.row.state === 'paused') caughtUp(event.row.run)
        touch(event.row.run)
        return
      }
      case 'removed':
        rows.delete(event.run)
        if (selected.value === event.run) selected.value = list.value.at(-1)?.run ?? null
        if (other.value === event.run) other.value = null
        return
      case 'progress': {
        arriving.get(event.run)?.push(event)
        const course = courses.get(event.run)
        if (event.evaluations) spent.set(event.run, event.evaluations)
        const row = rows.get(event.run)
        if (row && row.iterations !== event.iterations) rows.set(event.run, { ...row, iterations: event.iterations })
        if (course) addStep(course, event)
        touch(event.run)
        return
      }
      case 'strip':
        strips.set(event.run, event.stack)
        return
      case 'frame': {
        const course = courses.get(event.run) ?? emptyCourse()
        courses.set(event.run, course)
        const frame = { iteration: event.iteration, map: event.map, area: event.area }
        const iterations = rows.get(event.run)?.iterations ?? event.iteration
        // Those that the study keeps can be scrubbed to while the run goes on.
        if (storedIterations(iterations).includes(event.iteration)) course.frames.push(frame)
        course.live = frame
        touch(event.run)
      }
    }
  }

  /** A run has ended: what is stored of it replaces what was seen of it. */
  function settle(run: string): void {
    details.delete(run)
    // Of a thousand runs nobody looks at only the rows are kept; the rest is fetched when somebody does.
    if (run === selected.value || run === other.value) void load(run, true)
    else courses.delete(run)
  }

  /** A queued run has found its worker: only now is it known what the classifier sees and explains. */
  function begun(run: string): void {
    details.delete(run)
    if (run === selected.value || run === other.value) void load(run, true)
  }

  /** A quick run leaves behind some of the masks that the study keeps: once it rests, all of them can be scrubbed to. */
  function caughtUp(run: string): void {
    if (run === selected.value || run === other.value) void load(run, true)
  }

  const loading = new Set<string>()

  /** Fetches a run's course and details where they are not there yet. */
  async function load(run: string, again = false): Promise<void> {
    const have = courses.has(run) && (courses.get(run)!.iterations.length > 0 || rows.get(run)?.state === 'queued')
    const needsCourse = again || !have
    const needsDetail = again || !details.has(run)
    if (loading.has(run) && !again) return
    loading.add(run)
    arriving.set(run, [])
    try {
      // What can be read is shown, also where the rest cannot.
      await Promise.all([
        needsCourse ? call('runs.course', { run }).then((course) => adoptCourse(run, course)) : null,
        needsDetail ? call('runs.read', { run }).then((detail) => details.set(run, detail)) : null,
      ])
      detailErrors.delete(run)
    } catch (error) {
      detailErrors.set(run, error as MaskscopeError)
    } finally {
      arriving.delete(run)
      loading.delete(run)
      touch(run)
    }
  }

  function adoptCourse(run: string, answer: Course): void {
    const course = readCourse(answer)
    const before = courses.get(run)
    if (before && liveStates.includes(rows.get(run)?.state ?? 'finished')) course.live = before.live
    // Frames that came while the answer was on its way.
    const newest = course.frames.at(-1)?.iteration ?? -1
    course.frames.push(...(before?.frames ?? []).filter((frame) => frame.iteration > newest))
    course.seconds = before?.seconds ?? rows.get(run)?.seconds ?? null
    for (const step of arriving.get(run) ?? []) addStep(course, step)
    courses.set(run, course)
  }

  function select(run: string | null): void {
    selected.value = run
    selections.value++
    if (run !== null) void load(run)
  }

  watchValue(other, (run) => {
    if (run !== null) void load(run)
  })

  /** Reading it inside a computed or an effect makes that follow the course. */
  function courseOf(run: string | null): RunCourse | null {
    if (run === null) return null
    void versions.get(run)
    return courses.get(run) ?? null
  }

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      useNotices().fail(error)
    }
  }

  const pause = (run: string): Promise<void> => attempt(() => call('runs.pause', { run }))
  const resume = (run: string): Promise<void> => attempt(() => call('runs.resume', { run }))
  const cancel = (run: string): Promise<void> => attempt(() => call('runs.cancel', { run }))

  /** Opens a run's image and model. @returns null where that fails; then a notice says why */
  async function reopen(run: string): Promise<Reopened | null> {
    try {
      return await call('runs.reopen', { run })
    } catch (error) {
      useNotices().fail(error)
      return null
    }
  }

  /** Done at once; a notice and the history offer to take it back. */
  async function remove(runs: readonly string[]): Promise<void> {
    const ids = [...runs]
    const title = ids.length === 1 ? `Delete run ${ids[0]}` : `Delete ${ids.length} runs`
    try {
      await call('runs.delete', { runs: ids })
    } catch (error) {
      useNotices().fail(error)
      return
    }
    const deed = {
      title,
      undo: async () => void (await call('runs.restore', { runs: ids })),
      redo: async () => void (await call('runs.delete', { runs: ids })),
    }
    const history = useHistory()
    history.did(deed)
    useNotices().say(ids.length === 1 ? 'Run deleted.' : `${ids.length} runs deleted.`, { label: 'Undo', run: () => void history.undo() })
  }

  return {
    study, rows, list, selected, selections, current, other, live, details, detailErrors, evaluations, strips,
    begin, hear, load, select, courseOf, pause, resume, cancel, reopen, remove,
  }
})
