import { computed, type ComputedRef } from 'vue'
import type { ComparisonColumn, ComparisonImage, ComparisonRow, ComparisonView } from '#shared/contract/comparison.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import type { MapData, View } from '#shared/domain/image.ts'
import { colormap } from '#shared/imaging/colormap.ts'
import { displayLimits, sharedLimits, type Limits } from '#shared/imaging/normalisation.ts'
import { useComparisonData } from '../../stores/comparison-data.ts'
import { useComparison, type CellContent } from '../../stores/comparison.ts'
import { frameAt } from '../../stores/course.ts'
import { liveStates, useRuns } from '../../stores/runs.ts'
import { colormapInForce, normalisationInForce, type MapKind, type Scale } from '../stage/scale.ts'
import { spreadOf } from './combine.ts'

/** The map that a cell shows at the moment. */
export interface CellFrame {
  map: MapData
  view: View
  kind: MapKind
  /** Of the run it comes from; null: of several seeds. */
  run: string | null
  iteration: number | null
}

/** The whole picture is seen; until a run tells better. */
function wholeView({ width, height }: ComparisonImage): View {
  return { picture: { width, height }, crop: { left: 0, top: 0, width, height }, size: { width, height } }
}

type Stores = Pick<ReturnType<typeof useComparisonData>, 'maps' | 'courses'>

/** What is known of the row that a cell belongs to. */
export interface RowFacts {
  image: ComparisonImage
  /** What the model sees of it; null: not known yet. */
  view: View | null
}

/** Of a run that goes on: its latest mask, or the one at that share of what it has made so far. */
function liveFrame(run: RunRow, { image, view }: RowFacts, progress: number): CellFrame | null {
  const runs = useRuns()
  const course = runs.courseOf(run.run)
  const last = course?.live?.iteration ?? course?.frames.at(-1)?.iteration
  if (!course || last === undefined) return null
  const frame = frameAt(course, Math.round(last * progress))
  // What is not known of a live run is as for a mask: the limits do not jump about while it goes on.
  return frame && { map: frame.map, view: view ?? wholeView(image), kind: { signed: frame.map.data.some((v) => v < 0), range: [null, null], mask: false }, run: run.run, iteration: frame.iteration }
}

function storedFrame(run: RunRow, { maps, courses }: Stores, progress: number): CellFrame | null {
  const stored = maps.get(run.run)
  if (!stored) return null
  const kind = { signed: stored.signed, range: stored.range, mask: stored.mask }
  const own: CellFrame = { map: stored.map, view: stored.view, kind, run: run.run, iteration: run.iteration }
  if (progress >= 1) return own
  const course = courses.get(run.run)
  if (!course || course.frames.length === 0) return own
  const frame = frameAt(course, Math.round((course.frames.at(-1)!.iteration) * progress))
  return frame ? { ...own, map: frame.map, iteration: frame.iteration } : own
}

const spreads = new WeakMap<MapData, { of: readonly MapData[]; mean: MapData; sd: MapData }>()

/** The map of a cell: its run's, at the share of the course that is looked at; of several seeds their mean or standard deviation. */
export function frameOf(content: CellContent, row: RowFacts, stores: Stores, view: Pick<ComparisonView, 'progress' | 'spread'>): CellFrame | null {
  const frames = content.runs.flatMap((run) => {
    if (!run) return []
    if (run.state === 'finished') return [storedFrame(run, stores, view.progress)]
    return liveStates.includes(run.state) ? [liveFrame(run, row, view.progress)] : []
  }).filter((frame) => frame !== null)
  const first = frames[0]
  if (!first || content.runs.length === 1) return first ?? null
  const maps = frames.map(({ map }) => map)
  const known = spreads.get(first.map)
  const same = known?.of.length === maps.length && known.of.every((map, i) => map === maps[i])
  const spread = same ? known : { of: maps, ...spreadOf(maps) }
  spreads.set(first.map, spread)
  if (view.spread === 'sd') return { ...first, map: spread.sd, kind: { signed: false, range: [0, null], mask: false }, run: null }
  return { ...first, map: spread.mean, run: null }
}

const ownLimits = new WeakMap<MapData, Map<string, Limits>>()

/** Of one map by itself, remembered. */
export function limitsOf({ map, kind }: Pick<CellFrame, 'map' | 'kind'>, scale: ComparisonView['scale']): Limits {
  const known = ownLimits.get(map)?.get(scale)
  if (known) return known
  const limits = displayLimits(map, normalisationInForce(scale, kind), { signed: kind.signed, range: [kind.range[0] ?? -Infinity, kind.range[1] ?? Infinity] })
  const store = ownLimits.get(map) ?? new Map<string, Limits>()
  ownLimits.set(map, store.set(scale, limits))
  return limits
}

/** Signed and unsigned maps never share: the ones are centred on zero. */
export interface Shared {
  signed: Limits | null
  unsigned: Limits | null
}

export function shareLimits(frames: readonly CellFrame[], scale: ComparisonView['scale']): Shared {
  const of = (signed: boolean): Limits | null => {
    const all = frames.filter(({ kind }) => kind.signed === signed).map((frame) => limitsOf(frame, scale))
    return all.length === 0 ? null : sharedLimits(all)
  }
  return { signed: of(true), unsigned: of(false) }
}

export function scaleFor(frame: CellFrame, view: ComparisonView, shared: Shared | null): Scale {
  const own = limitsOf(frame, view.scale)
  return {
    limits: (frame.kind.signed ? shared?.signed : shared?.unsigned) ?? own,
    colormap: colormap(colormapInForce(view.colormap, frame.kind.signed)),
    normalisation: normalisationInForce(view.scale, frame.kind),
  }
}

/** What a cell shows, followed as it changes. */
export function useCellSource(place: () => { row: ComparisonRow; column: ComparisonColumn }): { content: ComputedRef<CellContent>; frame: ComputedRef<CellFrame | null> } {
  const comparison = useComparison()
  const data = useComparisonData()
  const content = computed(() => comparison.contentOf(place().row, place().column))
  const frame = computed(() => {
    const { image: key, model } = place().row
    const image = comparison.images.get(key)
    return image ? frameOf(content.value, { image, view: data.readings.peek(`${key} ${model}`)?.view ?? null }, data, comparison.board.view) : null
  })
  return { content, frame }
}
