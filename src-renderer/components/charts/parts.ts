import type { MapData } from '#shared/domain/image.ts'
import type { MapStack } from '#shared/domain/run.ts'

/** The maps of a stack, over its own memory. */
export function mapsOf({ count, height, width, data }: MapStack): MapData[] {
  const cells = height * width
  return Array.from({ length: count }, (_, i) => ({ height, width, data: data.subarray(i * cells, (i + 1) * cells) }))
}
