import { setImmediate as nextTurn } from 'node:timers/promises'

/** In ms. */
const longest = 50
let turned = performance.now()

/**
 * Lets messages be read, a cancellation among them, where none could be for a while: TF.js on WASM answers within one turn of the event
 * loop, and so many answers in a row, each waited for, are still one turn.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - turned < longest) return
  await nextTurn()
  turned = performance.now()
}
