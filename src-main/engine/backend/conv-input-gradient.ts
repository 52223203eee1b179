import type { TensorInfo } from '@tensorflow/tfjs-core'
import { phasesOf, planAxis, type AxisPlan, type Phase } from './axis.ts'
import { withForms } from './frozen.ts'
import type { Pads, Pair } from './padding.ts'
import { pointer, simd } from './simd/simd.ts'
import { forwardConvolution } from './stock.ts'
import { allocate, cropped, free, reshaped, shape4, type Shape4, type WasmBackend } from './wasm-memory.ts'

export interface Geometry {
  strides: Pair
  dilations: Pair
  pads: Pads
}

type Kind = 'Conv2D' | 'DepthwiseConv2dNative'

/**
 * Gradient of a convolution with respect to its input, on WASM, from the fast forward kernels: the output gradient is
 * convolved with the filter flipped (and, for Conv2D, its channels exchanged). With strides, each phase of the input
 * grid has its own small filter; Conv2D computes the phases of both axes in one convolution or in one each, whichever
 * multiplies less, and interleaves them; strided depthwise convolutions have a kernel of their own.
 * @param dy [N, H', W', Cout]; for depthwise Cout = C·multiplier
 * @param filter [kh, kw, Cin, Cout]; for depthwise [kh, kw, C, multiplier]
 * @param inputShape [N, H, W, Cin]
 * @returns [N, H, W, Cin]
 */
export function inputGradient(
  backend: WasmBackend,
  kind: Kind,
  dy: TensorInfo,
  filter: TensorInfo,
  inputShape: Shape4,
  geometry: Geometry,
): TensorInfo {
  const [, height, width] = inputShape
  const [, dyHeight, dyWidth] = shape4(dy)
  const [kh, kw, , last] = shape4(filter)
  const { strides: [sh, sw], dilations: [dh, dw], pads } = geometry
  if (kind !== 'Conv2D' && last === 1 && sh * sw > 1 && dh === 1 && dw === 1) {
    return stridedDepthwise(backend, dy, filter, inputShape, geometry)
  }
  const rowPhases = phasesOf(height, kh, sh, dh, pads.top)
  const columnPhases = phasesOf(width, kw, sw, dw, pads.left)
  const groups = grouped(kind, rowPhases, columnPhases, inputShape[3])
  const plans = groups.map(([rows, columns]) => ({
    rows: planAxis(rows, height, dyHeight, sh, dh),
    columns: planAxis(columns, width, dyWidth, sw, dw),
  }))
  const reached = plans.filter((plan): plan is GridPlan => plan.rows !== null && plan.columns !== null)
  const key = `${kind} ${[height, width, dyHeight, dyWidth, sh, sw, dh, dw, pads.top, pads.left].join(' ')}`
  const stride1 = sh === 1 && sw === 1
  return withForms(
    backend,
    filter,
    // with stride 1 the flipped filter is the same whatever the size and pads
    stride1 && reached.length === 1 ? kind : key,
    () => reached.map((plan) => transformedFilter(backend, kind, filter, plan)),
    (filters) => {
      const multiplier = kind === 'Conv2D' ? 1 : last
      if (stride1 && multiplier === 1 && reached.length === 1) return convolved(backend, kind, dy, filters[0]!, reached[0]!)
      const dx = allocate(backend, inputShape)
      const complete = reached.reduce((sum, plan) => sum + plan.rows.phases.length * plan.columns.phases.length, 0)
      if (complete < Math.min(sh, height) * Math.min(sw, width)) backend.typedArrayFromHeap(dx).fill(0)
      reached.forEach((plan, i) => {
        const part = convolved(backend, kind, dy, filters[i]!, plan)
        interleave(backend, part, dx, plan, [sh, sw], multiplier)
        free(backend, part)
      })
      return dx
    },
  )
}

/** The common strided depthwise case is bound by memory: one pass over dx by a kernel of its own. */
function stridedDepthwise(
  backend: WasmBackend, dy: TensorInfo, filter: TensorInfo, inputShape: Shape4, { strides, pads }: Geometry,
): TensorInfo {
  const [count, height, width, channels] = inputShape
  const [, outHeight, outWidth] = shape4(dy)
  const [kh, kw] = shape4(filter)
  const dx = allocate(backend, inputShape)
  simd(backend).depthwiseInputGradient(
    pointer(backend, dy), pointer(backend, filter), pointer(backend, dx), count, height, width, channels,
    outHeight, outWidth, kh, kw, strides[0], strides[1], pads.top, pads.left,
  )
  return dx
}

interface GridPlan {
  rows: AxisPlan
  columns: AxisPlan
}

/**
 * Which phases share a convolution. All together cost padding taps, each alone costs output channels that the forward
 * kernel rounds up to 8: Conv2D takes what multiplies less, depthwise filters cannot share.
 */
function grouped(kind: Kind, rows: Phase[], columns: Phase[], cin: number): [Phase[], Phase[]][] {
  const alone = rows.flatMap((row) => columns.map((column): [Phase[], Phase[]] => [[row], [column]]))
  if (kind !== 'Conv2D' || alone.length < 2) return alone
  const lanes = (channels: number): number => Math.ceil(channels / 8) * 8
  const taps = (phases: Phase[]): number => {
    const offsets = phases.flatMap((phase) => phase.taps.map((tap) => tap.t))
    return Math.max(...offsets) - Math.min(...offsets) + 1
  }
  const together = taps(rows) * taps(columns) * lanes(alone.length * cin)
  const apart = alone.reduce((sum, [row, column]) => sum + taps(row) * taps(column) * lanes(cin), 0)
  return together <= apart ? [[rows, columns]] : alone
}

/** [taps down, taps across, Cout, phases·Cin], or for depthwise [taps down, taps across, C·multiplier, 1]. */
function transformedFilter(backend: WasmBackend, kind: Kind, filter: TensorInfo, plan: GridPlan): TensorInfo {
  const [, kw, cin, cout] = shape4(filter)
  const down = plan.rows.taps[0]!.length
  const across = plan.columns.taps[0]!.length
  const phases = plan.rows.phases.length * plan.columns.phases.length
  const depthwise = kind !== 'Conv2D'
  const form = allocate(backend, depthwise ? [down, across, cin * cout, 1] : [down, across, cout, phases * cin])
  const from = backend.typedArrayFromHeap(filter)
  const to = backend.typedArrayFromHeap(form)
  to.fill(0)
  const block = cin * cout
  plan.rows.taps.forEach((rowTaps, i) => {
    plan.columns.taps.forEach((columnTaps, j) => {
      const phase = i * plan.columns.phases.length + j
      for (let a = 0; a < down; a++) {
        for (let b = 0; b < across; b++) {
          const row = rowTaps[a]!
          const column = columnTaps[b]!
          if (row < 0 || column < 0) continue
          const source = (row * kw + column) * block
          const target = (a * across + b) * block * phases
          if (depthwise) to.set(from.subarray(source, source + block), target)
          else transposeBlock(from, source, to, target + phase * cin, cin, cout, phases * cin)
        }
      }
    })
  })
  return form
}

/** [cin, cout] at `source` becomes [cout, cin] at `target`, whose rows are `pitch` apart. */
function transposeBlock(
  from: Float32Array, source: number, to: Float32Array, target: number, cin: number, cout: number, pitch: number,
): void {
  for (let o = 0; o < cout; o++) {
    const row = target + o * pitch
    for (let i = 0; i < cin; i++) to[row + i] = from[source + i * cout + o]!
  }
}

function convolved(backend: WasmBackend, kind: Kind, dy: TensorInfo, filter: TensorInfo, plan: GridPlan): TensorInfo {
  const { rows, columns } = plan
  const cut = {
    top: Math.max(0, -rows.padBefore),
    bottom: Math.max(0, -rows.padAfter),
    left: Math.max(0, -columns.padBefore),
    right: Math.max(0, -columns.padAfter),
  }
  const pads = {
    top: Math.max(0, rows.padBefore),
    bottom: Math.max(0, rows.padAfter),
    left: Math.max(0, columns.padBefore),
    right: Math.max(0, columns.padAfter),
  }
  const whole = cut.top + cut.bottom + cut.left + cut.right === 0
  const source = whole ? reshaped(dy, dy.shape) : cropped(backend, dy, cut)
  const options = { strides: [1, 1], pads, dilations: [rows.dilation, columns.dilation] } as const
  const out = forwardConvolution(backend, kind, source, filter, options)
  if (!whole) free(backend, source)
  return out
}

/** Writes each phase of `part` to its places in dx, adding up the outputs of each depthwise channel. */
function interleave(
  backend: WasmBackend, part: TensorInfo, dx: TensorInfo, plan: GridPlan, strides: Pair, multiplier: number,
): void {
  const [count, height, width, channels] = shape4(dx)
  const [, partHeight, partWidth, partChannels] = shape4(part)
  const from = pointer(backend, part)
  const to = pointer(backend, dx)
  plan.rows.phases.forEach(({ remainder: top }, i) => {
    plan.columns.phases.forEach(({ remainder: left }, j) => {
      const first = (i * plan.columns.phases.length + j) * channels
      simd(backend).interleave(
        from, to, count, partHeight, partWidth, partChannels, first, height, width, channels, top, left,
        strides[0], strides[1], multiplier,
      )
    })
  })
}
