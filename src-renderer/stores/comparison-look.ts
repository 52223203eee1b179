import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useComparison, type CellPlace } from './comparison.ts'

/** What moves together in all cells, and which cell is looked at; nothing of it is kept. */
export const useComparisonLook = defineStore('comparison-look', () => {
  const comparison = useComparison()

  /** Over fit, and the picture's point in the middle of the cell, 0 to 1. */
  const zoom = ref(1)
  const centre = ref({ x: 0.5, y: 0.5 })
  /** A point of the pictures, 0 to 1 along each side; null: the pointer is elsewhere. */
  const cursor = ref<{ x: number; y: number } | null>(null)
  /** "ROW COLUMN" */
  const selected = ref<string | null>(null)
  const other = ref<string | null>(null)
  /** The selected cell shows the other one. */
  const blinked = ref(false)
  /** Rows as they are shown, sorted and filtered. */
  const shownRows = ref<readonly string[]>([])

  function placeOf(cell: string | null): CellPlace | null {
    const [row, column] = (cell ?? '').split(' ')
    const foundRow = comparison.board.rows.find((one) => one.id === row)
    const foundColumn = comparison.board.columns.find((one) => one.id === column)
    return foundRow && foundColumn ? { row: foundRow, column: foundColumn } : null
  }

  const current = computed(() => placeOf(selected.value))
  const beside = computed(() => (other.value === selected.value ? null : placeOf(other.value)))

  function select(row: string, column: string): void {
    selected.value = `${row} ${column}`
    blinked.value = false
  }

  function fit(): void {
    zoom.value = 1
    centre.value = { x: 0.5, y: 0.5 }
  }

  return { zoom, centre, cursor, selected, other, blinked, shownRows, current, beside, select, fit }
})
