import type { Course as CourseOfWindow, RunDetail, RunRow } from '#shared/contract/runs.ts'
import type { MapData } from '#shared/domain/image.ts'
import { lossTable, type LossTable } from '#storage/losses.ts'
import { holdsTruth } from './open-data.ts'
import { provenanceOf } from './provenance.ts'
import { changesOf, liveMap } from './run-rows.ts'
import type { LiveRun } from './live-run.ts'
import type { StoredRun } from './studies.ts'
import type { RunRecord } from '#storage/manifests.ts'

/** What stands beside a run's result, while it runs. */
export function liveDetail(row: RunRow, live: LiveRun): RunDetail {
  const { manifest, evaluations } = live
  return {
    row, view: manifest?.view ?? null, score: null, ...liveMap(live.order.method), evaluations, truth: false, notes: [], facts: [], parts: [],
    provenance: manifest ? provenanceOf({ order: manifest, manifest: null, record: null, changes: live.changes }) : [],
  }
}

/** Of one that ended without a result. */
export function recordDetail(row: RunRow, record: RunRecord): RunDetail {
  return {
    row, view: record.order?.view ?? null, score: null, ...liveMap(record.request.method), evaluations: null, truth: false, notes: [], facts: [], parts: [],
    provenance: record.order ? provenanceOf({ order: record.order, manifest: null, record, changes: row.changes }) : [],
  }
}

export function storedDetail(row: RunRow, { manifest, record }: StoredRun): RunDetail {
  const { order, score, range, signed, evaluations, notes, facts, arrays } = manifest
  return {
    row, view: order.view, score, range: [...range], signed, truth: order.image.kind === 'scene' || holdsTruth(record.found.image), evaluations, notes: [...notes], facts: [...facts],
    parts: arrays.parts.map(({ name, title, signed, shape }) => ({ name, title, signed, count: shape[0]! })),
    provenance: provenanceOf({ order, manifest, record, changes: changesOf(record) }),
  }
}

export function liveCourse({ course }: LiveRun): CourseOfWindow {
  return courseOf(lossTable(course.rows()), course.frames())
}

export async function storedCourse(run: StoredRun): Promise<CourseOfWindow> {
  const [losses, frames] = await Promise.all([run.losses(), run.frames()])
  return courseOf(losses, frames)
}

export function emptyCourse(): CourseOfWindow {
  return courseOf({ columns: ['iteration', 'probability'], rows: [] }, [])
}

/** @param losses its first column holds the iterations */
function courseOf({ columns, rows }: LossTable, frames: readonly { iteration: number; map: MapData }[]): CourseOfWindow {
  const width = columns.length - 1
  const values = new Float32Array(rows.length * width)
  rows.forEach((row, i) => values.set(row.slice(1), i * width))
  const first = frames[0]?.map
  const { height, width: across } = first ?? { height: 1, width: 1 }
  const data = new Float32Array(frames.length * height * across)
  frames.forEach(({ map }, i) => data.set(map.data, i * height * across))
  return {
    columns: columns.slice(1),
    iterations: Float32Array.from(rows, (row) => row[0]!),
    values,
    frames: { iterations: frames.map((frame) => frame.iteration), height, width: across, data },
  }
}
