import type { Frame } from '../masks/compose.ts'

/** A whole picture moved by pixels, its border continued, perhaps mirrored left to right first; and the way back. */
export interface Move {
  down: number
  right: number
  flip: boolean
}

/** @param out H·W·C, not the picture itself */
export function movePicture(frame: Frame, picture: Float32Array, move: Move, out: Float32Array): void {
  visit(frame, move, (to, from) => {
    for (let c = 0; c < frame.channels; c++) out[to + c] = picture[from + c]!
  })
}

/** The adjoint: the gradient with respect to the picture that was moved. */
export function movePictureBack(frame: Frame, gradient: Float32Array, move: Move): Float32Array {
  if (move.down === 0 && move.right === 0 && !move.flip) return gradient
  const out = new Float32Array(gradient.length)
  visit(frame, move, (to, from) => {
    for (let c = 0; c < frame.channels; c++) out[from + c]! += gradient[to + c]!
  })
  return out
}

function visit({ height, width, channels }: Frame, { down, right, flip }: Move, pixel: (to: number, from: number) => void): void {
  for (let y = 0; y < height; y++) {
    const v = Math.min(height - 1, Math.max(0, y - down))
    for (let x = 0; x < width; x++) {
      const u = Math.min(width - 1, Math.max(0, x - right))
      pixel((y * width + x) * channels, (v * width + (flip ? width - 1 - u : u)) * channels)
    }
  }
}
