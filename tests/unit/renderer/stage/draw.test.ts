import { expect, test } from 'vitest'
import { dimUnseen, drawCheckerboard, drawContours, drawImage, pictureBox, seenBox, type Cell, type Drawable } from '#renderer/components/stage/draw.ts'
import { drawUnder, FrameDrawing, type Scene } from '#renderer/components/stage/drawing.ts'
import { scaleOf } from '#renderer/components/stage/scale.ts'
import { defaultSettings } from '#shared/domain/settings.ts'
import { contours } from '#shared/imaging/contours.ts'
import { recordingContext } from './recording-context.ts'

const cell: Cell = { size: { width: 200, height: 100 }, ratio: 2, placement: { scale: 2, left: 10, top: 20 }, picture: { width: 60, height: 30 } }
const view = { picture: { width: 60, height: 30 }, crop: { left: 15, top: 0, width: 30, height: 30 }, size: { width: 8, height: 8 } }
const image = (width: number, height: number): Drawable => ({ width, height }) as unknown as Drawable
const settings = defaultSettings.stage

test('a mask is never smoothed, unless it is asked for', () => {
  const { ctx, of } = recordingContext()
  const box = { left: 0, top: 0, width: 100, height: 100 }
  drawImage(ctx, image(28, 28), box, 1, 'never')
  drawImage(ctx, image(400, 400), box, 1, 'never')
  drawImage(ctx, image(28, 28), box, 1, 'always')
  expect(of('drawImage').map((call) => call.smoothing)).toEqual([false, false, true])
})

test('pictures stay sharp from two device pixels per pixel on', () => {
  const { ctx, of } = recordingContext()
  const box = { left: 0, top: 0, width: 100, height: 100 }
  drawImage(ctx, image(100, 100), box, 1, 'auto')
  drawImage(ctx, image(50, 50), box, 1, 'auto')
  drawImage(ctx, image(100, 100), box, 2, 'auto')
  expect(of('drawImage').map((call) => call.smoothing)).toEqual([true, false, false])
})

test('the map lies over what the classifier saw', () => {
  expect(pictureBox(cell)).toEqual({ left: 10, top: 20, width: 120, height: 60 })
  expect(seenBox(cell, view)).toEqual({ left: 40, top: 20, width: 60, height: 60 })
  expect(seenBox(cell, null)).toEqual(pictureBox(cell))
})

test('only a picture of which a part is seen is dimmed', () => {
  const whole = recordingContext()
  dimUnseen(whole.ctx, cell, { ...view, crop: { left: 0, top: 0, width: 60, height: 30 } }, '#fff')
  expect(whole.calls).toEqual([])
  const part = recordingContext()
  dimUnseen(part.ctx, cell, view, '#fff')
  expect(part.of('rect').map((call) => call.values)).toEqual([[10, 20, 120, 60], [40, 20, 60, 60]])
  expect(part.of('fill')[0]!.values).toEqual(['evenodd'])
})

test('squares of the checkerboard keep their size and move with the picture', () => {
  const { ctx, of } = recordingContext()
  drawCheckerboard(ctx, { left: 3, top: 5, width: 16, height: 16 }, { width: 100, height: 100 }, '#aaa', '#bbb')
  expect(of('rect').slice(1).map((call) => call.values)).toEqual([[3, 5, 8, 8], [11, 13, 8, 8]])
})

test('of a magnified picture only squares in sight are drawn, in the same pattern', () => {
  const { ctx, of } = recordingContext()
  drawCheckerboard(ctx, { left: -8000, top: -4000, width: 20_000, height: 20_000 }, { width: 16, height: 16 }, '#aaa', '#bbb')
  expect(of('rect').slice(1).map((call) => call.values)).toEqual([[0, 0, 8, 8], [8, 8, 8, 8]])
})

test('contours run through the map\'s place', () => {
  const { ctx, of } = recordingContext()
  const map = { width: 2, height: 1, data: Float32Array.from([0, 1]) }
  drawContours(ctx, contours(map, 0.5), map, { left: 100, top: 50, width: 40, height: 20 })
  const points = [...of('moveTo'), ...of('lineTo')].map((call) => call.values)
  expect(points.every(([x]) => x === 120)).toBe(true)
  expect(points.map(([, y]) => y).sort()).toEqual([50, 60, 70].slice(0, points.length === 3 ? 3 : 0))
})

function scene(part: Partial<Scene> = {}): Scene {
  const picture = { width: 60, height: 30, bitmap: image(60, 30), quiet: image(60, 30), colour: () => [0, 0, 0] } as unknown as Scene['picture']
  return { picture, view, inputs: null, frame: null, scale: null, kind: { signed: false, range: [0, 1], mask: true }, deletes: false, settings, colours: { stage: '#fff', hairline: '#ccc', checkA: '#999', checkB: '#888' }, ...part }
}

test('before there is a mask, only the input is drawn', () => {
  const drawn = [0, 1, 2, 3].map((index) => {
    const { ctx, of } = recordingContext()
    drawUnder(ctx, index as 0, cell, scene())
    new FrameDrawing().draw(ctx, index as 0, cell, scene())
    return of('drawImage').length
  })
  expect(drawn).toEqual([1, 0, 0, 0])
})

test('contours lie on the picture itself, colours on its quiet copy', () => {
  const map = { width: 2, height: 1, data: Float32Array.from([0, 1]) }
  const frame = { iteration: 1, map }
  const scale = scaleOf(map, settings, { signed: false, range: [0, 1], mask: true })
  const base = (contoured: boolean): unknown => {
    const { ctx, of } = recordingContext()
    const shown = scene({ frame, scale, settings: { ...settings, contours: contoured } })
    drawUnder(ctx, 2, cell, shown)
    return of('drawImage')[0]!.values[0] === shown.picture!.quiet
  }
  expect([base(false), base(true)]).toEqual([true, false])
})
