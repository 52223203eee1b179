/** Where a picture lies in a cell: CSS pixels per picture pixel, and its left upper corner. */
export interface Placement {
  scale: number
  left: number
  top: number
}

export interface Size {
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

/** What all pictures share: magnification over fit, and the picture's point in the middle of the cell, 0 to 1. */
export interface Look {
  zoom: number
  centre: Point
}

/** Of zoom over fit. */
const leastZoom = 0.25
/** CSS pixels that one picture pixel is drawn at, at most. */
const mostScale = 64

/** CSS pixels around a picture that fits, for its outline. */
const margin = 1

/** CSS pixels per picture pixel where the whole picture fits. */
export function fitScale(cell: Size, picture: Size): number {
  return Math.max(1, Math.min((cell.width - 2 * margin), (cell.height - 2 * margin) * (picture.width / picture.height))) / picture.width
}

/** The look in which a part of the picture fills the cell. */
export function fitPart(part: { left: number; top: number } & Size, cell: Size, picture: Size): Look {
  return {
    zoom: fitScale(cell, part) / fitScale(cell, picture),
    centre: { x: (part.left + part.width / 2) / picture.width, y: (part.top + part.height / 2) / picture.height },
  }
}

export function place(cell: Size, picture: Size, look: Look): Placement {
  const scale = fitScale(cell, picture) * look.zoom
  return {
    scale,
    left: cell.width / 2 - look.centre.x * picture.width * scale,
    top: cell.height / 2 - look.centre.y * picture.height * scale,
  }
}

/** The picture's point below a point of the cell, in picture pixels. */
export function toPicture(at: Point, { scale, left, top }: Placement): Point {
  return { x: (at.x - left) / scale, y: (at.y - top) / scale }
}

export function toCell(at: Point, { scale, left, top }: Placement): Point {
  return { x: at.x * scale + left, y: at.y * scale + top }
}

/** Magnifies by `factor`; the picture's point below `at` stays where it is. */
export function zoomAt(at: Point, factor: number, cell: Size, picture: Size, look: Look): Look {
  const fit = fitScale(cell, picture)
  const zoom = Math.min(Math.max(look.zoom * factor, leastZoom), Math.max(mostScale / fit, 1))
  const fixed = toPicture(at, place(cell, picture, look))
  const scale = fit * zoom
  return {
    zoom,
    centre: {
      x: (fixed.x + (cell.width / 2 - at.x) / scale) / picture.width,
      y: (fixed.y + (cell.height / 2 - at.y) / scale) / picture.height,
    },
  }
}

/** Moves the picture by CSS pixels; some of it always stays in sight. */
export function panBy(dx: number, dy: number, cell: Size, picture: Size, look: Look): Look {
  const scale = fitScale(cell, picture) * look.zoom
  return {
    zoom: look.zoom,
    centre: {
      x: Math.min(1, Math.max(0, look.centre.x - dx / (picture.width * scale))),
      y: Math.min(1, Math.max(0, look.centre.y - dy / (picture.height * scale))),
    },
  }
}

export interface Arrangement {
  columns: number
  rows: number
}

/** The grid in which `count` pictures become largest. */
export function arrange(count: number, room: Size, picture: Size): Arrangement {
  let best: Arrangement = { columns: 1, rows: Math.max(1, count) }
  let largest = -1
  for (let columns = count; columns >= 1; columns--) {
    const rows = Math.ceil(count / columns)
    const scale = fitScale({ width: room.width / columns, height: room.height / rows }, picture)
    // A full grid of four reads better than a strip that is hardly larger.
    const worth = scale * (columns * rows === count && columns > 1 && rows > 1 ? 1.15 : 1)
    if (worth > largest) {
      largest = worth
      best = { columns, rows }
    }
  }
  return best
}
