import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch as watchValue } from 'vue'
import {
  cellKey, emptyBoard, type ComparisonBoard, type ComparisonColumn, type ComparisonImage, type ComparisonModel, type ComparisonRow, type ComparisonView,
} from '#shared/contract/comparison.ts'
import type { OpenImage } from '#shared/contract/models.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters, type ParameterSchema, type ParameterValues } from '#shared/domain/parameters.ts'
import { call } from '../rpc.ts'
import { cellStateOf, type CellState } from './comparison-cell.ts'
import { useHistory } from './history.ts'
import { useModels } from './models.ts'
import { useNotices } from './notices.ts'
import { useOrder } from './order.ts'
import { liveStates, useRuns } from './runs.ts'

/** Written so long after the last change. */
const saveAfterMs = 300
/** Edits of one kind in quick succession are undone together. */
const together = 800

export interface CellPlace {
  row: ComparisonRow
  column: ComparisonColumn
}

/** What a cell is made of: a run per seed, null where none was asked for. */
export interface CellContent {
  keys: readonly (string | null)[]
  runs: readonly (RunRow | null)[]
  state: CellState
}

/** The comparison that is open: what its grid holds, and every edit of it. */
export const useComparison = defineStore('comparison', () => {
  const order = useOrder()
  const models = useModels()
  const history = useHistory()
  const notices = useNotices()
  const runs = useRuns()

  const id = ref<string | null>(null)
  const list = shallowRef<{ comparison: string; name: string }[]>([])
  const board = shallowRef<ComparisonBoard>(emptyBoard('Comparison'))
  const images = shallowReactive(new Map<string, ComparisonImage>())
  const modelsAt = shallowReactive(new Map<string, ComparisonModel>())
  const runsAt = shallowReactive(new Map<string, string>())
  const saved = ref(true)
  const opened = ref(false)
  let turn = 0

  async function open(wanted: string | null): Promise<void> {
    await flush()
    const mine = ++turn
    try {
      const [answer, all] = await Promise.all([call('comparisons.open', { comparison: wanted }), call('comparisons.list', {})])
      if (mine !== turn) return
      id.value = answer.comparison
      making = null
      board.value = answer.board
      list.value = all
      refill(images, answer.images.map((image) => [image.key, image]))
      refill(modelsAt, answer.models.map((model) => [model.key, model]))
      refill(runsAt, Object.entries(answer.runs))
      saved.value = true
      opened.value = true
    } catch (error) {
      notices.fail(error)
    }
  }

  /** An empty one beside the others. */
  async function create(name: string): Promise<void> {
    await flush()
    try {
      const { comparison } = await call('comparisons.create', { board: { ...emptyBoard(name), view: board.value.view } })
      await open(comparison)
    } catch (error) {
      notices.fail(error)
    }
  }

  /** The open one, which can be brought back; its runs stay in the study. */
  async function remove(): Promise<void> {
    const comparison = id.value
    const { name } = board.value
    if (comparison === null) return
    await flush()
    const away = async (): Promise<void> => {
      await call('comparisons.remove', { comparison })
      if (id.value === comparison) await open(null)
    }
    try {
      await away()
    } catch (error) {
      return notices.fail(error)
    }
    history.did({
      title: `Delete ${name}`, redo: away,
      undo: async () => {
        await call('comparisons.restore', { comparison })
        await open(comparison)
      },
    })
    notices.say('Comparison deleted.', { label: 'Undo', run: () => void history.undo() })
  }

  let making: Promise<string> | null = null
  /** On the disk from here on. */
  function ensured(): Promise<string> {
    if (id.value !== null) return Promise.resolve(id.value)
    making ??= call('comparisons.create', { board: board.value }).then(({ comparison }) => {
      id.value = comparison
      list.value = [...list.value, { comparison, name: board.value.name }]
      return comparison
    }).catch((error: unknown) => {
      making = null
      throw error
    })
    return making
  }

  let saving: ReturnType<typeof setTimeout> | undefined
  function schedule(): void {
    saved.value = false
    clearTimeout(saving)
    saving = setTimeout(() => void flush(), saveAfterMs)
  }

  /** Writes what is not written yet; never rejects. */
  async function flush(): Promise<void> {
    clearTimeout(saving)
    if (saved.value) return
    const written = board.value
    try {
      await call('comparisons.save', { comparison: await ensured(), board: written })
      if (board.value === written) saved.value = true
    } catch (error) {
      notices.fail(error)
    }
  }
  addEventListener('pagehide', () => void flush())

  let lastEdit: { title: string; at: number } | undefined
  /** Changes the grid; it can be taken back. @param title as a button says it: "Remove RISE" */
  function edit(title: string, change: (before: ComparisonBoard) => ComparisonBoard): void {
    const before = board.value
    const comparison = id.value
    board.value = change(before)
    if (board.value === before) return
    schedule()
    const now = performance.now()
    const goesOn = lastEdit?.title === title && now - lastEdit.at < together
    lastEdit = { title, at: now }
    if (goesOn) return
    let after = board.value
    const put = (to: ComparisonBoard): void => {
      if (id.value !== comparison && comparison !== null) throw new MaskscopeError('usage', 'This was done in another comparison; open that one to take it back.')
      board.value = { ...to, view: board.value.view }
      lastEdit = undefined
      schedule()
    }
    history.did({
      title,
      undo: () => {
        // What was edited since in quick succession belongs to the same deed.
        after = board.value
        put(before)
      },
      redo: () => put(after),
    })
  }

  /** How it is looked at: kept, but no edit. */
  function look(part: Partial<ComparisonView>): void {
    board.value = { ...board.value, view: { ...board.value.view, ...part } }
    schedule()
  }

  function freshId(stem: string, taken: readonly { id: string }[]): string {
    for (let n = taken.length + 1; ; n++) if (!taken.some((entry) => entry.id === `${stem}${n}`)) return `${stem}${n}`
  }

  async function modelKeyOf(model: string): Promise<string> {
    const added = await call('comparisons.addModel', { comparison: await ensured(), model })
    modelsAt.set(added.key, added)
    return added.key
  }

  /** A row for each, with the open model and its top class. */
  async function addImages(given: readonly OpenImage[]): Promise<void> {
    const model = models.current
    if (!model || given.length === 0) return
    try {
      const comparison = await ensured()
      const [key, added] = [await modelKeyOf(model.model), await call('comparisons.addImages', { comparison, images: given.map(({ image }) => image) })]
      for (const image of added) images.set(image.key, image)
      const fresh = added.filter((image) => !board.value.rows.some((row) => row.image === image.key && row.model === key && row.target === 'auto'))
      addRows(fresh.map((image) => ({ image: image.key, model: key, target: 'auto' })), fresh.length === 1 ? `Add ${fresh[0]!.name}` : `Add ${fresh.length} images`)
    } catch (error) {
      notices.fail(error)
    }
  }

  function addRows(rows: readonly Omit<ComparisonRow, 'id'>[], title: string, behind?: string): void {
    if (rows.length === 0) return
    edit(title, (before) => {
      const all = [...before.rows]
      const at = behind === undefined ? all.length : all.findIndex((row) => row.id === behind) + 1
      const fresh: ComparisonRow[] = []
      for (const row of rows) fresh.push({ id: freshId('r', [...all, ...fresh]), ...row })
      all.splice(at, 0, ...fresh)
      return { ...before, rows: all }
    })
  }

  function addColumn(column: { method: string; parameters?: ParameterValues; seed?: number; seeds?: number }, behind?: string): void {
    const title = order.methodTitle(column.method)
    edit(`Add ${title}`, (before) => {
      const all = [...before.columns]
      const at = behind === undefined ? all.length : all.findIndex((other) => other.id === behind) + 1
      all.splice(at, 0, { kind: 'method', id: freshId('c', all), title: null, method: column.method, parameters: column.parameters ?? {}, seed: column.seed ?? order.seed, seeds: column.seeds ?? 1 })
      return { ...before, columns: all }
    })
  }

  function changeColumn(column: string, part: Partial<Extract<ComparisonColumn, { kind: 'method' }>>, title = 'Change parameters'): void {
    edit(title, (before) => ({ ...before, columns: before.columns.map((one) => (one.id === column && one.kind === 'method' ? { ...one, ...part } : one)) }))
  }

  function moveColumn(column: string, to: number): void {
    edit('Move a column', (before) => {
      const moved = before.columns.find((one) => one.id === column)
      if (!moved || before.columns.indexOf(moved) === to) return before
      return { ...before, columns: before.columns.filter((one) => one !== moved).toSpliced(Math.max(0, to), 0, moved) }
    })
  }

  function removeColumn(column: ComparisonColumn): void {
    edit(`Remove ${columnTitle(column)}`, (before) => ({ ...before, columns: before.columns.filter((one) => one.id !== column.id) }))
  }

  function removeRow(row: ComparisonRow): void {
    edit(`Remove ${images.get(row.image)?.name ?? 'a row'}`, (before) => ({ ...before, rows: before.rows.filter((one) => one.id !== row.id) }))
  }

  function columnTitle(column: ComparisonColumn): string {
    return column.kind === 'maps' ? column.title : column.title ?? order.methodTitle(column.method)
  }

  /** Complete parameters of a column, or null where its method or one of them is not known any more. */
  const resolved = new WeakMap<ComparisonColumn, ParameterValues | null>()
  function parametersOf(column: ComparisonColumn): ParameterValues | null {
    if (column.kind === 'maps') return null
    const known = resolved.get(column)
    if (known !== undefined) return known
    const method = order.methods.find((one) => one.id === column.method)
    // The list of methods may not be there yet.
    if (!method) return null
    let values: ParameterValues | null = null
    try {
      values = resolveParameters(method as ParameterSchema, column.parameters)
    } catch {
      values = null
    }
    resolved.set(column, values)
    return values
  }

  const keys = new WeakMap<ComparisonRow, WeakMap<ComparisonColumn, (string | null)[]>>()
  /** One per seed. */
  function keysOf(row: ComparisonRow, column: ComparisonColumn): (string | null)[] {
    const known = keys.get(row)?.get(column)
    if (known) return known
    if (column.kind === 'maps') return [null]
    const parameters = parametersOf(column)
    if (!parameters) return Array.from({ length: column.seeds }, () => null)
    const made = Array.from({ length: column.seeds }, (_, i) => cellKey(row, column.method, parameters, column.seed + i))
    const ofRow = keys.get(row) ?? new WeakMap<ComparisonColumn, (string | null)[]>()
    keys.set(row, ofRow.set(column, made))
    return made
  }

  function contentOf(row: ComparisonRow, column: ComparisonColumn): CellContent {
    const names = keysOf(row, column)
    const found = column.kind === 'maps' ? [column.runs[row.id]] : names.map((key) => (key === null ? undefined : runsAt.get(key)))
    const rows = found.map((run) => (run === undefined ? null : runs.rows.get(run) ?? null))
    return { keys: names, runs: rows, state: cellStateOf(rows) }
  }

  /** The runs that make a cell, of those that have finished. */
  function finishedRuns(row: ComparisonRow, column: ComparisonColumn): string[] {
    return contentOf(row, column).runs.flatMap((run) => (run?.state === 'finished' ? [run.run] : []))
  }

  /** Queues what these cells lack. @param again what has ended is made anew */
  async function run(cells: readonly CellPlace[], again = false): Promise<void> {
    const asked = cells.flatMap(({ row, column }) => {
      if (column.kind === 'maps') return []
      const { keys: names, runs: known } = contentOf(row, column)
      return names.flatMap((key, i) => {
        const state = known[i]?.state
        const idle = state === undefined || (again ? !liveStates.includes(state) : state !== 'finished' && !liveStates.includes(state))
        return key === null || !idle ? [] : [{
          key, image: row.image, model: row.model, target: row.target, method: column.method, parameters: column.parameters, seed: column.seed + i, lane: column.id,
        }]
      })
    })
    if (asked.length === 0) return
    try {
      const ids = await call('comparisons.run', { comparison: await ensured(), cells: asked })
      asked.forEach(({ key }, i) => runsAt.set(key, ids[i]!))
    } catch (error) {
      notices.fail(error)
    }
  }

  const allCells = computed(() => board.value.rows.flatMap((row) => board.value.columns.map((column): CellPlace => ({ row, column }))))

  /** Runs of the grid that have not ended. */
  const live = computed(() => allCells.value.flatMap(({ row, column }) => contentOf(row, column).runs.filter((one) => one !== null && liveStates.includes(one.state)) as RunRow[]))

  async function steer(to: 'pause' | 'resume' | 'cancel', which: readonly RunRow[] = live.value): Promise<void> {
    try {
      await call('comparisons.steer', { runs: which.map((one) => one.run), to })
    } catch (error) {
      notices.fail(error)
    }
  }

  function cellName(row: ComparisonRow, column: ComparisonColumn): string {
    return `${row.id} ${column.id}`
  }

  function toggleStar(cell: string): void {
    const on = !board.value.stars.includes(cell)
    edit(on ? 'Star' : 'Take the star away', (before) => ({ ...before, stars: on ? [...before.stars, cell] : before.stars.filter((one) => one !== cell) }))
  }

  function setNote(cell: string, note: string): void {
    edit('Change a note', (before) => {
      const { [cell]: _, ...others } = before.notes
      return { ...before, notes: note === '' ? others : { ...others, [cell]: note } }
    })
  }

  // Another study has other comparisons; the one that only now comes to be on the disk is the same.
  watchValue(() => `${runs.study.place}\n${runs.study.name}`, () => {
    if (runs.study.place !== '') void open(null)
  })

  return {
    id, list, board, images, modelsAt, runsAt, saved, opened, allCells, live,
    open, create, remove, flush, ensured, edit, look, addImages, addRows, addColumn, changeColumn, moveColumn, removeColumn, removeRow, modelKeyOf,
    columnTitle, parametersOf, contentOf, finishedRuns, run, steer, cellName, toggleStar, setNote,
  }
})

function refill<T>(map: Map<string, T>, entries: readonly (readonly [string, T])[]): void {
  map.clear()
  for (const [key, value] of entries) map.set(key, value)
}
