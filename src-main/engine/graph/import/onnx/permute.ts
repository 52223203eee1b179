/** The elements of an array of `shape` with axis order[i] as axis i; the same array where nothing moves. */
export function permuted<T extends Float32Array | Float64Array>(data: T, shape: readonly number[], order: readonly number[]): T {
  const moving = order.filter((axis) => shape[axis] !== 1)
  if (moving.every((axis, i) => i === 0 || axis > moving[i - 1]!)) return data
  const strides = stridesOf(shape)
  return gathered(data, order.map((axis) => shape[axis]!), order.map((axis) => strides[axis]!), 0)
}

export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]!
  }
  return strides
}

/** Elements of `data` along a walk: `sizes` steps of `strides` from `offset`, the last axis fastest. A stride of 0 repeats. */
export function gathered<T extends Float32Array | Float64Array>(data: T, sizes: readonly number[], strides: readonly number[], offset: number): T {
  const total = sizes.reduce((product, n) => product * n, 1)
  const result = (data instanceof Float32Array ? new Float32Array(total) : new Float64Array(total)) as T
  if (total === 0) return result
  const rank = sizes.length
  const inner = rank === 0 ? 1 : sizes[rank - 1]!
  const step = rank === 0 ? 0 : strides[rank - 1]!
  const at = new Array<number>(rank).fill(0)
  let from = offset
  for (let to = 0; to < total; to += inner) {
    for (let k = 0; k < inner; k++) result[to + k] = data[from + k * step]!
    for (let axis = rank - 2; axis >= 0; axis--) {
      from += strides[axis]!
      if (++at[axis]! < sizes[axis]!) break
      from -= strides[axis]! * sizes[axis]!
      at[axis] = 0
    }
  }
  return result
}
