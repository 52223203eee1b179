/**
 * Average precision of a map against a binary mask: Σ (Rₙ − Rₙ₋₁)·Pₙ down the ranking, with pixels of equal value taken
 * together as one step. A constant map scores the mask's share of the image, and no order of ties can be lucky.
 * @param map any values; higher means more salient
 * @param mask 0 or 1 per pixel, as long as the map
 * @returns in [0, 1]; NaN for an empty mask
 */
export function averagePrecision(map: Float32Array, mask: Uint8Array): number {
  if (map.length !== mask.length) throw new RangeError(`A map of ${map.length} values and a mask of ${mask.length} do not fit.`)
  const order = Uint32Array.from(map.keys()).sort((a, b) => map[b]! - map[a]!)
  let total = 0
  for (const bit of mask) total += bit
  let hits = 0
  let sum = 0
  for (let i = 0; i < order.length; ) {
    const value = map[order[i]!]!
    const before = hits
    while (i < order.length && map[order[i]!] === value) hits += mask[order[i++]!]!
    sum += (hits - before) * (hits / i)
  }
  return sum / total
}
