import type { Frame } from '../methods/masks/compose.ts'

/** Pixels of a shorter side of 224 in pixels of this image. */
export function scaled({ height, width }: Pick<Frame, 'height' | 'width'>, pixels: number): number {
  return (pixels * Math.min(height, width)) / 224
}
