import type { Classifier } from '../../classifier/classifier.ts'
import type { Frame } from './compose.ts'

/** Most pixels that go through the classifier in one call: eight images at 224², which keeps a gradient below about 1 GB. */
const pixelsPerCall = 8 * 224 * 224

export function imagesPerCall(frame: Frame): number {
  return Math.max(1, Math.floor(pixelsPerCall / (frame.height * frame.width)))
}

/** Logits, one row per image, in calls of bounded size. */
export async function classifyAll(classifier: Classifier, frame: Frame, data: Float32Array, count: number): Promise<Float32Array[]> {
  const size = frame.height * frame.width * frame.channels
  const chunk = imagesPerCall(frame)
  const rows: Float32Array[] = []
  for (let from = 0; from < count; from += chunk) {
    const to = Math.min(count, from + chunk)
    const logits = await classifier.logits({ ...frame, count: to - from, data: data.subarray(from * size, to * size) })
    rows.push(...splitRows(logits, to - from))
  }
  return rows
}

export function splitRows(values: Float32Array, count: number): Float32Array[] {
  const width = values.length / count
  return Array.from({ length: count }, (_, i) => values.subarray(i * width, (i + 1) * width))
}
