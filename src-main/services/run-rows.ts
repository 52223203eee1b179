import path from 'node:path'
import { deletesMarked, methods } from '#engine/methods/registry.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import type { MapData } from '#shared/domain/image.ts'
import type { RunManifest, RunRecord } from '#storage/manifests.ts'
import type { LiveRun } from './live-run.ts'

type Thumbnail = RunRow['thumbnail']

/** A run that waits, runs or is paused, as a row of the table. */
export function liveRow(live: LiveRun, thumbnail: Thumbnail): RunRow {
  const { order, manifest, parameters } = live
  const { source } = order.model
  const { kind, reference } = order.item
  const rows = live.course.rows()
  const last = rows[rows.length - 1]
  return {
    run: live.id,
    state: live.state,
    created: live.created,
    image: { name: manifest?.image.reference ?? (kind === 'scene' ? reference : path.basename(reference)), kind },
    thumbnail,
    model: { name: source.name, sha256: source.sha256 },
    method: order.method,
    preset: presetOf(parameters),
    parameters,
    seed: order.seed,
    target: live.target,
    changes: live.changes.map(({ iteration, parameters: changed }) => ({ iteration, parameters: changed })),
    probability: { original: live.original, masked: finite(last?.probability) },
    deletes: deletesMarked(order.method, parameters),
    area: live.frame ? areaOf(live.frame.map, liveMap(live.order.method).range) : null,
    iteration: live.iteration,
    iterations: live.iterations,
    seconds: live.seconds,
    error: null,
  }
}

/** What a finished run's own files add to its record. */
export interface FinishedFacts {
  manifest: RunManifest
  area: number | null
}

/** A run as the study holds it. */
export function recordRow(record: RunRecord, finished: FinishedFacts | null, thumbnail: Thumbnail): RunRow {
  const { image, model, method, parameters, seed, target } = record.request
  const planned = parameters['iterations']
  return {
    run: record.id,
    // One that no queue of ours knows is not running any more.
    state: record.state === 'running' || record.state === 'queued' ? 'interrupted' : record.state,
    created: record.created,
    image: { name: image.reference, kind: image.kind },
    thumbnail,
    model: { name: model.name, sha256: model.sha256 },
    method,
    preset: presetOf(parameters),
    parameters,
    seed,
    target: finished?.manifest.target ?? (target === 'auto' ? null : { index: target, label: null }),
    changes: changesOf(record),
    probability: finished?.manifest.probability ?? { original: null, masked: null },
    deletes: deletesMarked(method, parameters),
    area: finished?.area ?? null,
    iteration: finished?.manifest.iterations ?? 0,
    iterations: finished?.manifest.iterations ?? (typeof planned === 'number' ? planned : null),
    seconds: record.seconds,
    error: errorOf(record),
  }
}

export function changesOf({ request, order }: Pick<RunRecord, 'request' | 'order'>): RunRow['changes'] {
  return (order ?? request).changes
}

const codes: readonly string[] = ['usage', 'input', 'run', 'worker', 'storage', 'unavailable', 'cancelled']

/** Of a file; a code that another version wrote is read as one of ours. */
export function errorOf({ error }: Pick<RunRecord, 'error'>): RunRow['error'] {
  if (!error) return null
  const code = codes.includes(error.code) ? (error.code as NonNullable<RunRow['error']>['code']) : 'run'
  return { code, message: error.message, ...(error.subject === undefined ? {} : { subject: error.subject }) }
}

/** What the maps of a run are while it goes on; what a result says of itself holds afterwards. */
export function liveMap(method: string): { range: [number | null, number | null]; signed: boolean } {
  const { range, signed } = methods.find(({ id }) => id === method)?.map ?? { range: [0, 1], signed: false }
  return { range: [finite(range[0]), finite(range[1])], signed }
}

/** Mean of a map as a share of its range, in [0, 1]; null where a limit is missing. */
export function areaOf(map: MapData, [low, high]: readonly [number | null, number | null]): number | null {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high) || high <= low || map.data.length === 0) return null
  let sum = 0
  for (const value of map.data) sum += value
  return Math.min(1, Math.max(0, (sum / map.data.length - low) / (high - low)))
}

function presetOf(parameters: RunRow['parameters']): string | null {
  const preset = parameters['preset']
  return typeof preset === 'string' ? preset : null
}

export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}
