// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from 'vitest'
import RunScrubber from '#renderer/components/stage/RunScrubber.vue'
import { keyTarget, trackLine } from '#renderer/components/stage/track.ts'
import { useRuns } from '#renderer/stores/runs.ts'
import { useStage } from '#renderer/stores/stage.ts'
import type { Course } from '#shared/contract/runs.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show, showRuns } from '../mount.ts'
import { runRow } from '../samples.ts'

const kept = [0, 1, 2, 5, 10, 20, 50, 60, 70, 80, 90, 100, 110, 120]
const course = (last: number): Course => {
  const iterations = Float32Array.from({ length: last + 1 }, (_, i) => i)
  const frames = kept.filter((i) => i <= last)
  return {
    columns: ['prediction', 'total', 'probability'], iterations,
    values: Float32Array.from([...iterations].flatMap((i) => [100 - i / 2, 200 - i, i / 120])),
    frames: { iterations: frames, height: 1, width: 1, data: Float32Array.from(frames, (i) => i / 120) },
  }
}
let client: FakeClient

beforeEach(async () => {
  client = await beginStores({ 'runs.course': () => course(120), 'runs.pause': () => ({}), 'runs.resume': () => ({}) })
})

async function shown(part: Parameters<typeof runRow>[0] = {}) {
  const wrapper = show(RunScrubber)
  await showRuns([runRow(part)])
  await settled()
  return { wrapper, slider: wrapper.get('[role="slider"]'), stage: useStage() }
}

test('it stands at the last iteration until it is moved', async () => {
  const { wrapper, slider } = await shown()
  expect(slider.attributes('aria-valuenow')).toBe('120')
  expect(slider.attributes('aria-valuemax')).toBe('120')
  expect(wrapper.text()).toContain('120 / 120')
})

test('keys move it by stored frames: one, ten, to the ends', async () => {
  const { slider, stage } = await shown()
  const press = async (key: string, shiftKey = false): Promise<number> => {
    await slider.trigger('keydown', { key, shiftKey })
    return stage.iteration
  }
  expect(await press('ArrowLeft')).toBe(110)
  expect(await press('ArrowRight')).toBe(120)
  expect(await press('ArrowLeft', true)).toBe(5)
  expect(await press('Home')).toBe(0)
  expect(await press('ArrowLeft')).toBe(0)
  expect(await press('ArrowRight')).toBe(1)
  expect(await press('End')).toBe(120)
  expect(keyTarget({ key: 'x', shiftKey: false })).toBeNull()
})

test('dragging shows the iteration below the pointer and stops following', async () => {
  const { wrapper, slider, stage } = await shown({ state: 'running', iteration: 120 })
  const track = slider.element as HTMLElement
  let captured = false
  Object.assign(track, { setPointerCapture: () => (captured = true), hasPointerCapture: () => captured })
  vi.spyOn(track, 'getBoundingClientRect').mockReturnValue({ left: 100, width: 240 } as DOMRect)
  expect(wrapper.get('.live').attributes('aria-pressed')).toBe('true')
  await slider.trigger('pointerdown', { button: 0, clientX: 160, pointerId: 1 })
  expect([stage.following, stage.iteration]).toEqual([false, 30])
  await slider.trigger('pointermove', { clientX: 1000, pointerId: 1 })
  expect(stage.iteration).toBe(120)
  expect(wrapper.get('.live').attributes('aria-pressed')).toBe('false')
  await wrapper.get('.live').trigger('click')
  expect(stage.following).toBe(true)
})

test('only a run that is live has a live pill', async () => {
  const { wrapper } = await shown()
  expect(wrapper.find('.live').exists()).toBe(false)
})

test('while live, new steps move the handle; a scrubbed one stays', async () => {
  client.answers['runs.course'] = () => course(10)
  const { slider, stage } = await shown({ state: 'running', iteration: 10 })
  const step = (iteration: number): void => useRuns().hear({
    type: 'progress', run: '0001-ball-neuromask', iteration, iterations: 120, losses: { prediction: 1, total: 2 }, probability: 0.5, seconds: 1, evaluations: null,
  })
  step(11)
  await settled()
  expect(slider.attributes('aria-valuenow')).toBe('11')
  stage.scrubTo(5)
  step(12)
  await settled()
  expect(slider.attributes('aria-valuenow')).toBe('5')
  stage.follow()
  await settled()
  expect(slider.attributes('aria-valuenow')).toBe('12')
})

test('the button pauses and resumes a run that is live', async () => {
  const { wrapper } = await shown({ state: 'running' })
  await wrapper.get('button.play').trigger('click')
  expect(client.inputsOf('runs.pause')).toEqual([{ run: '0001-ball-neuromask' }])
  useRuns().hear({ type: 'row', row: runRow({ state: 'paused' }) })
  await settled()
  await wrapper.get('button.play').trigger('click')
  expect(client.inputsOf('runs.resume')).toEqual([{ run: '0001-ball-neuromask' }])
})

test('of a finished run it plays the frames to the end', async () => {
  const { wrapper, stage } = await shown()
  vi.useFakeTimers()
  try {
    await wrapper.get('button.play').trigger('click')
    expect(stage.iteration).toBe(0)
    vi.advanceTimersByTime(1000 / 15 * 2.5)
    expect(stage.iteration).toBe(2)
    vi.advanceTimersByTime(5000)
    expect(stage.iteration).toBe(120)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('the track is the total loss, on a log scale where the charts have one', () => {
  const iterations = [0, 1, 2]
  const linear = trackLine(iterations, [1000, 10, 1], 4, false, 100)
  expect(Array.from(linear.filter((_, i) => i % 2 === 0))).toEqual([0, 0.25, 0.5])
  const log = trackLine(iterations, [1000, 10, 1], 4, true, 100)
  expect(linear[3]! - linear[1]!).toBeCloseTo(0.99)
  expect(log[3]! - log[1]!).toBeCloseTo(2 / 3)
})
