/** Values after which a comparison looks whether it can still become the nearest. */
const stride = 64

/**
 * The squared distance of an image to the nearest of many.
 * @param image values in [0, 1]
 * @param many bytes, 255 for 1, image after image
 * @returns in units of (1/255)²
 */
export function nearestDistance(image: Float32Array, many: Uint8Array): number {
  const values = image.length
  const scaled = Float32Array.from(image, (value) => 255 * value)
  let best = Infinity
  for (let at = 0; at + values <= many.length; at += values) {
    let sum = 0
    for (let v = 0; v < values && sum < best; ) {
      const end = Math.min(values, v + stride)
      for (; v < end; v++) {
        const difference = scaled[v]! - many[at + v]!
        sum += difference * difference
      }
    }
    if (sum < best) best = sum
  }
  return best
}

/**
 * Whether an image lies nearer to those that a generator was trained on than to as many that it never saw: 1 yes, 0 no, ½ where both are
 * equally far. An honest generator's mean is ½, however blurred or noisy its images are.
 */
export function nearerToSeen(image: Float32Array, seen: Uint8Array, unseen: Uint8Array): number {
  const [a, b] = [nearestDistance(image, seen), nearestDistance(image, unseen)]
  return a === b ? 0.5 : a < b ? 1 : 0
}
