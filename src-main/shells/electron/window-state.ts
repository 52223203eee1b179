import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Rectangle } from 'electron'
import * as z from 'zod/mini'

/** The window is designed at this size, in px, and never smaller than `leastSize`. */
const usualSize = { width: 1280, height: 800 }
export const leastSize = { width: 1024, height: 700 }
/** So much of the title bar must be on a display for the window to be caught by it, in px. */
const visible = { width: 120, height: 40 }

const pixel = z.int().check(z.gte(-100_000), z.lte(100_000))
const stored = z.object({
  bounds: z.object({ x: pixel, y: pixel, width: pixel, height: pixel }),
  maximised: z.boolean(),
})

export interface WindowState {
  /** Without x and y: where the system puts it. */
  bounds: { width: number; height: number; x?: number; y?: number }
  maximised: boolean
}

/**
 * Where the window was, if it can still be seen there; else the usual size in the middle.
 * @param displays the work areas of those there are now
 */
export function readWindowState(file: string, displays: readonly Rectangle[]): WindowState {
  const state = parse(file)
  if (!state) return { bounds: usualSize, maximised: false }
  const { x, y } = state.bounds
  const width = Math.max(state.bounds.width, leastSize.width)
  const height = Math.max(state.bounds.height, leastSize.height)
  const seen = displays.some((display) => {
    const across = Math.min(x + width, display.x + display.width) - Math.max(x, display.x)
    const below = display.y + display.height - y
    return across >= visible.width && y >= display.y && below >= visible.height
  })
  return { bounds: seen ? { x, y, width, height } : usualSize, maximised: state.maximised }
}

/** Best effort: a window that opens elsewhere the next time is no reason to bother anybody. */
export function writeWindowState(file: string, state: { bounds: Rectangle; maximised: boolean }): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(state))
  } catch {
    // A full or read-only disk shows where it matters, in the study.
  }
}

function parse(file: string): z.infer<typeof stored> | null {
  try {
    return stored.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
