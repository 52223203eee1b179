import { ref } from 'vue'
import { useRuns } from '../../stores/runs.ts'
import { useStage } from '../../stores/stage.ts'

/** Stored frames shown in a second. */
const framesPerSecond = 15

const playing = ref(false)
let timer: ReturnType<typeof setInterval> | undefined

/** Plays the frames of a run that is over; of one that is live, pauses and resumes the run itself. */
export function usePlayer() {
  const runs = useRuns()
  const stage = useStage()

  function stop(): void {
    clearInterval(timer)
    playing.value = false
  }

  function play(): void {
    stop()
    const frames = stage.course?.frames ?? []
    if (frames.length < 2) return
    playing.value = true
    if (stage.iteration >= frames.at(-1)!.iteration) stage.scrubTo(0)
    const run = stage.shownRun
    timer = setInterval(() => {
      const last = stage.course?.frames.at(-1)?.iteration ?? 0
      if (stage.shownRun !== run || stage.iteration >= last) stop()
      else stage.stepFrames(1)
    }, 1000 / framesPerSecond)
  }

  function toggle(): void {
    const row = stage.shownRun === null ? null : runs.rows.get(stage.shownRun)
    if (!row) return
    if (row.state === 'running') void runs.pause(row.run)
    else if (row.state === 'paused') void runs.resume(row.run)
    else if (playing.value) stop()
    else if (row.state !== 'queued') play()
  }

  return { playing, toggle, play, stop }
}
