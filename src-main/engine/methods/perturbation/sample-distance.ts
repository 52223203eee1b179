import type { SegmentSubject } from './segment-subject.ts'

export type DistanceKind = 'segments' | 'cosine' | 'euclidean'

/** How far an image with some segments hidden is from the untouched one. */
export function sampleDistance(subject: SegmentSubject, kind: DistanceKind): (shown: Float32Array) => number {
  const { count } = subject
  if (kind === 'segments') {
    return (shown) => {
      let kept = 0
      for (let k = 0; k < count; k++) kept += shown[k]!
      return 1 - Math.sqrt(kept / count)
    }
  }
  // The masked image is x in shown segments and b in the others, so dot products add up over segments.
  const { image, fill, labels, frame } = subject
  const sums = { xx: new Float64Array(count), xb: new Float64Array(count), bb: new Float64Array(count) }
  for (let i = 0; i < image.length; i++) {
    const label = labels[Math.floor(i / frame.channels)]!
    sums.xx[label]! += image[i]! * image[i]!
    sums.xb[label]! += image[i]! * fill[i]!
    sums.bb[label]! += fill[i]! * fill[i]!
  }
  const whole = sums.xx.reduce((a, b) => a + b, 0)
  // The published widths are for 224².
  const scale = 224 / Math.sqrt(frame.height * frame.width)
  return (shown) => {
    let dot = 0
    let square = 0
    for (let k = 0; k < count; k++) {
      dot += shown[k] === 1 ? sums.xx[k]! : sums.xb[k]!
      square += shown[k] === 1 ? sums.xx[k]! : sums.bb[k]!
    }
    if (kind === 'euclidean') return scale * Math.sqrt(Math.max(0, whole - 2 * dot + square))
    // A black image has no direction: as far as can be.
    return whole > 0 && square > 0 ? 1 - dot / Math.sqrt(whole * square) : 1
  }
}
