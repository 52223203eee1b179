/** Images as the engine sees them: NHWC, float32, RGB (or one grey channel), values in [0, 1]. */
export interface ImageBatch {
  count: number
  height: number
  width: number
  channels: number
  /** length = count·height·width·channels */
  data: Float32Array
}

/** A decoded picture: 8-bit RGB, row-major, upright (EXIF applied), alpha already laid over white. */
export interface Picture {
  width: number
  height: number
  /** length = width·height·3 */
  data: Uint8Array
}

/** A map over an image, row-major. */
export interface MapData {
  height: number
  width: number
  /** length = height·width */
  data: Float32Array
}

/**
 * Where on the picture the square lies that a classifier sees. Pixels outside the crop were never seen, so maps are 0
 * there.
 */
export interface View {
  /** Size of the original picture in pixels. */
  picture: { width: number; height: number }
  /** In original pixels, integers. */
  crop: { left: number; top: number; width: number; height: number }
  /** Size of the classifier's input in pixels. */
  size: { width: number; height: number }
}
