import type { Course } from '#shared/contract/runs.ts'
import type { MapData } from '#shared/domain/image.ts'

export interface Frame {
  iteration: number
  map: MapData
}

/** How one run went so far: losses that only grow, and the masks on the way. Not reactive: `version` counts changes. */
export interface RunCourse {
  /** Names of the loss terms, `total` last, without the probability. */
  terms: string[]
  iterations: number[]
  /** One list per term. */
  losses: number[][]
  probability: number[]
  /** By iteration; those the study keeps, and while the run is live also the latest. */
  frames: Frame[]
  /** The latest mask of a run that is live. */
  live: (Frame & { area: number | null }) | null
  seconds: number | null
}

export function emptyCourse(): RunCourse {
  return { terms: [], iterations: [], losses: [], probability: [], frames: [], live: null, seconds: null }
}

/** From the answer to `runs.course`. */
export function readCourse({ columns, iterations, values, frames }: Course): RunCourse {
  const terms = columns.slice(0, -1)
  const at = (row: number, column: number): number => values[row * columns.length + column]!
  const rows = Array.from(iterations, (_, row) => row)
  const cells = frames.height * frames.width
  return {
    terms,
    iterations: Array.from(iterations),
    losses: terms.map((_, column) => rows.map((row) => at(row, column))),
    probability: rows.map((row) => at(row, columns.length - 1)),
    frames: frames.iterations.map((iteration, i) => ({
      iteration, map: { height: frames.height, width: frames.width, data: frames.data.subarray(i * cells, (i + 1) * cells) },
    })),
    live: null,
    seconds: null,
  }
}

/** Adds a step; one that is there already changes nothing, so that a snapshot and the events after it may overlap. */
export function addStep(course: RunCourse, step: { iteration: number; losses: Record<string, number>; probability: number | null; seconds: number }): void {
  const last = course.iterations.at(-1)
  if (last !== undefined && step.iteration <= last) return
  if (course.terms.length === 0) {
    const names = Object.keys(step.losses).filter((name) => name !== 'total')
    course.terms = 'total' in step.losses ? [...names, 'total'] : names
    course.losses = course.terms.map(() => [])
  }
  course.iterations.push(step.iteration)
  course.terms.forEach((term, i) => course.losses[i]!.push(step.losses[term] ?? Number.NaN))
  course.probability.push(step.probability ?? Number.NaN)
  course.seconds = step.seconds
}

/** The frame that stands at an iteration: the latest at or before it, else the first. */
export function frameAt(course: RunCourse, iteration: number): Frame | null {
  const live = course.live
  if (live && iteration >= live.iteration) return live
  let found: Frame | null = null
  for (const frame of course.frames) {
    if (found && frame.iteration > iteration) break
    found = frame
  }
  return found ?? live
}
