import { defineStore } from 'pinia'
import { computed, ref, watch as watchValue } from 'vue'
import { frameAt } from './course.ts'
import { useImages } from './images.ts'
import { useRuns } from './runs.ts'

/** What moves together: the iteration looked at, the cursor, zoom and pan, the blink. */
export const useStage = defineStore('stage', () => {
  const runs = useRuns()
  const images = useImages()
  /** A run, or the image that the next one would explain: whichever was asked for last. */
  const subject = ref<'run' | 'image'>('run')
  /** The scrubber follows the run. */
  const following = ref(true)
  const scrubbed = ref(0)
  /** On the picture, in its own pixels; null: the pointer is elsewhere. */
  const cursor = ref<{ x: number; y: number } | null>(null)
  /** Screen pixels per picture pixel relative to fit (1), and the picture's point in the middle, 0 to 1. */
  const zoom = ref(1)
  const centre = ref({ x: 0.5, y: 0.5 })
  /** One of the four pictures takes all of the stage. */
  const single = ref<0 | 1 | 2 | 3 | null>(null)
  /** The stage takes all of the window. */
  const filling = ref(false)
  /** While comparing: the other run is the one shown. */
  const blinked = ref(false)

  const shownRun = computed(() => {
    if (subject.value === 'image') return null
    return blinked.value && runs.other !== null ? runs.other : runs.selected
  })
  /** A new object with every change, so that what depends on it follows; its lists are the course's own. */
  const course = computed(() => {
    const found = runs.courseOf(shownRun.value)
    return found && { ...found }
  })
  const last = computed(() => {
    const c = course.value
    if (!c) return 0
    return Math.max(c.live?.iteration ?? 0, c.iterations.at(-1) ?? 0, c.frames.at(-1)?.iteration ?? 0)
  })
  const iteration = computed(() => (following.value ? last.value : Math.min(scrubbed.value, last.value)))
  const frame = computed(() => (course.value ? frameAt(course.value, iteration.value) : null))

  /** Stops following the run. */
  function scrubTo(to: number): void {
    following.value = false
    scrubbed.value = Math.max(0, Math.min(last.value, Math.round(to)))
  }

  /** By stored frames, as the ticks of the scrubber show them. */
  function stepFrames(by: number): void {
    const frames = course.value?.frames ?? []
    if (frames.length === 0) return
    const at = frames.findLastIndex((f) => f.iteration <= iteration.value)
    scrubTo(frames[Math.max(0, Math.min(frames.length - 1, at + by))]!.iteration)
  }

  function follow(): void {
    following.value = true
  }

  function fit(): void {
    zoom.value = 1
    centre.value = { x: 0.5, y: 0.5 }
  }

  watchValue(() => runs.selected, () => {
    following.value = true
    blinked.value = false
  })
  watchValue(() => images.current, (image) => (subject.value = image ? 'image' : 'run'))
  // After the images: a run that is opened together with its image is what was asked for.
  watchValue([() => runs.selected, () => runs.selections], () => (subject.value = 'run'))

  return { subject, following, cursor, zoom, centre, single, filling, blinked, shownRun, course, last, iteration, frame, scrubTo, stepFrames, follow, fit }
})
