import { defineStore } from 'pinia'
import { ref, shallowReactive, watch as watchValue } from 'vue'
import type { CellMap, RowReading } from '#shared/contract/comparison.ts'
import type { MeasurementOfRun } from '#shared/contract/metrics.ts'
import type { Pixels } from '#shared/imaging/layers.ts'
import { decodePicture, type StagePicture } from '../components/stage/picture.ts'
import { call } from '../rpc.ts'
import { useComparison } from './comparison.ts'
import { createShelf } from './comparison-shelf.ts'
import { readCourse, type RunCourse } from './course.ts'
import { useNotices } from './notices.ts'

export interface Measured {
  evaluations: { forward: number; backward: number }
  results: MeasurementOfRun[]
}

interface CellInputs {
  seen: Pixels
  fill: Pixels | null
  fillName: string
}

const megabyte = 1 << 20
/** Of what is measured at a time is asked in pieces of so many runs. */
const pieces = 100
/** Pictures of the grid: sharp up to this side, CSS pixels times the screen's ratio. */
export const pictureSide = 512

/** What the cells of the comparison show: pictures, maps, courses and numbers, fetched when they come into sight. */
export const useComparisonData = defineStore('comparison-data', () => {
  const comparison = useComparison()
  const ofOpen = (): string => comparison.id ?? ''

  const pictures = createShelf<StagePicture>({
    most: 160 * megabyte, atOnce: 3, bytesOf: ({ width, height }) => width * height * 8,
    fetch: async (image) => decodePicture((await call('comparisons.picture', { comparison: ofOpen(), image, side: pictureSide })).png),
    release: ({ bitmap, quiet }) => {
      bitmap.close()
      quiet?.close()
    },
  })
  const maps = createShelf<CellMap>({ most: 64 * megabyte, atOnce: 6, bytesOf: ({ map }) => map.data.byteLength + 500, fetch: (run) => call('comparisons.map', { run }) })
  const courses = createShelf<RunCourse>({
    most: 64 * megabyte, atOnce: 4, bytesOf: ({ frames, iterations, losses }) => (frames[0]?.map.data.byteLength ?? 0) * frames.length + iterations.length * 8 * (losses.length + 2) + 500,
    fetch: async (run) => readCourse(await call('runs.course', { run })),
  })
  const inputs = createShelf<CellInputs>({ most: 48 * megabyte, atOnce: 3, bytesOf: ({ seen, fill }) => seen.data.byteLength + (fill?.data.byteLength ?? 0), fetch: (run) => call('runs.inputs', { run }) })
  /** By "IMAGE MODEL". */
  const readings = createShelf<RowReading>({
    most: megabyte, atOnce: 2, bytesOf: ({ top }) => top.length * 100,
    fetch: (key) => {
      const [image, model] = key.split(' ') as [string, string]
      return call('comparisons.classes', { comparison: ofOpen(), image, model, top: 5 })
    },
  })

  const measured = shallowReactive(new Map<string, Measured>())
  const asked = new Set<string>()
  const reading = ref(false)

  /** Of finished runs; what is known already is not asked for again. */
  async function readMeasured(runs: readonly string[]): Promise<void> {
    const missing = runs.filter((run) => !asked.has(run))
    for (const run of missing) asked.add(run)
    reading.value ||= missing.length > 0
    try {
      for (let i = 0; i < missing.length; i += pieces) {
        for (const { run, ...rest } of await call('comparisons.measured', { runs: missing.slice(i, i + pieces) })) measured.set(run, rest)
      }
    } catch (error) {
      for (const run of missing) asked.delete(run)
      useNotices().fail(error)
    } finally {
      reading.value = false
    }
  }

  function keepMeasured(run: string, results: MeasurementOfRun[]): void {
    measured.set(run, { evaluations: measured.get(run)?.evaluations ?? { forward: 0, backward: 0 }, results })
  }

  watchValue(() => comparison.id, (now, before) => {
    // A comparison that only now comes to be on the disk is the same one.
    if (before === null && now !== null && pictures.bytes() === 0) return
    pictures.clear()
    readings.clear()
  })

  return { pictures, maps, courses, inputs, readings, measured, reading, readMeasured, keepMeasured }
})
