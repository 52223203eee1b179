/**
 * Milliseconds between two drawings of something live. Fifteen a second still look like motion; as many as the display shows take a
 * whole core where no GPU draws, and the engine wants that core. Tests of components wait for nothing.
 */
export const pace = { interval: 66 }

/** Acts soon after it is asked to, with a frame of the display, and not more often than live things are drawn. */
export function paced(act: () => void): () => void {
  let due = false
  let last = -Infinity
  function begin(): void {
    requestAnimationFrame(() => {
      due = false
      last = performance.now()
      act()
    })
  }
  return () => {
    if (due) return
    due = true
    const wait = last + pace.interval - performance.now()
    if (wait > 0) setTimeout(begin, wait)
    else begin()
  }
}
