/** Of `count` lines of one height those that can be seen, and `more` on either side. */
export function windowOf(scrolled: number, room: number, pitch: number, count: number, more: number): { from: number; to: number } {
  const from = Math.max(0, Math.floor(scrolled / pitch) - more)
  return { from: Math.min(from, count), to: Math.min(count, Math.ceil((scrolled + Math.max(0, room)) / pitch) + more) }
}

interface Place {
  row: number
  column: number
}

/** Where a key leads in the grid, or null where it leads nowhere. */
export function gridMove({ key, ctrlKey, metaKey, altKey, shiftKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>, at: Place, size: { rows: number; columns: number; page: number }): Place | null {
  if (altKey || shiftKey) return null
  const far = ctrlKey || metaKey
  const row = (to: number): Place => ({ row: Math.max(0, Math.min(size.rows - 1, to)), column: at.column })
  const column = (to: number): Place => ({ row: at.row, column: Math.max(0, Math.min(size.columns - 1, to)) })
  switch (key) {
    case 'ArrowUp': return row(far ? 0 : at.row - 1)
    case 'ArrowDown': return row(far ? size.rows - 1 : at.row + 1)
    case 'PageUp': return row(at.row - size.page)
    case 'PageDown': return row(at.row + size.page)
    case 'ArrowLeft': return column(far ? 0 : at.column - 1)
    case 'ArrowRight': return column(far ? size.columns - 1 : at.column + 1)
    case 'Home': return far ? { row: 0, column: 0 } : column(0)
    case 'End': return far ? { row: size.rows - 1, column: size.columns - 1 } : column(size.columns - 1)
    default: return null
  }
}
