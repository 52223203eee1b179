import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Classifier } from '../../classifier/classifier.ts'
import { cancelled } from '../common/cancelled.ts'
import type { Frame, Side } from '../masks/compose.ts'
import { classifyMasked, masksPerCall } from './laying.ts'
import { masksFrom, type Masks, type Scene } from './masks.ts'
import type { Spread } from './spread.ts'

export { enlarge, type Masks } from './masks.ts'
export type { Spread } from './spread.ts'

/**
 * Questions of the form "what does the classifier answer where this mask covers the image", asked in large numbers. Masks
 * stay in the small form in which a method draws them until they are laid over the image, so that they can be sent to other
 * workers.
 */

export interface MaskQuestion {
  masks: Masks
  /** Default `preserve`. */
  side?: Side
  /** H·W·C, what stands where the image is hidden. The same values are sent to other workers once. */
  fill: Float32Array
}

/** Questions about one image. */
export interface MaskQueries {
  /** @returns logits, one row per mask; the same whoever computes them */
  ask(question: MaskQuestion): Promise<Float32Array[]>
  /**
   * Question after question, in their order; the next ones are computed while the answers to one are being used. What has been
   * taken from `questions` ahead is given up where the reader stops.
   */
  stream<T extends MaskQuestion>(questions: Iterable<T>): AsyncGenerator<{ question: T; rows: Float32Array[] }, void>
  /** Gives up what is asked for and not begun; it is answered no more. */
  close(): void
  /** Images sent through the classifier so far, as far as they were asked for by `ask` or handed out by `stream`. */
  readonly forward: number
}

/** Masks of one question that one worker computes, from a multiple of `masksPerCall` on. */
interface Piece {
  scene: Scene
  masks: Masks
  from: number
  count: number
  /** Where the rows go, at the place of their mask. */
  rows: Float32Array[]
  /** Nobody waits for it any more. */
  dropped(): boolean
  done(count: number): void
  fail(error: unknown): void
}

/** What is on its way to a helper, in shares of full length: one is being computed, another waits there. Short ones may be more. */
const sharesPerHelper = 2
/** About what a share should take, in ms: short, so that a worker that is wanted elsewhere is free soon. */
const shareTime = 40
const mostCalls = 16
/** A share is computed here where it is not answered in so many times its own time, and in this at least, in ms. */
const patience = { times: 5, least: 200 }

/**
 * @param image H·W·C in [0, 1]
 * @param task once its signal aborts, what is not answered fails with MaskscopeError 'cancelled'
 */
export function createMaskQueries(classifier: Classifier, frame: Frame, image: Float32Array, { signal, spread }: { signal: AbortSignal; spread?: Spread }): MaskQueries {
  const perCall = masksPerCall(frame)
  let forward = 0
  let waiting: Piece[] = []
  /** Shares on their way, in the order in which they were given. */
  const given = new Set<{ piece: Piece; since: number; late: boolean }>()
  let driving = false
  let closed = false
  /** Of one call here, in ms. */
  let callTime = 0
  let wake: () => void = () => undefined

  /** Computes what waits, giving shares to whoever helps. */
  async function drive(): Promise<void> {
    if (driving) return
    driving = true
    while (true) {
      waiting = waiting.filter((piece) => !piece.dropped())
      if (signal.aborted) {
        for (const piece of waiting.splice(0)) piece.fail(cancelled())
        break
      }
      lend()
      const piece = waiting[0]
      if (piece) await computeHere(piece)
      else if ([...given].some((share) => !share.late && !share.piece.dropped())) await news()
      else break
    }
    driving = false
  }

  /** One call's worth of the piece. */
  async function computeHere(piece: Piece): Promise<void> {
    const count = Math.min(perCall, piece.count)
    const { from } = piece
    take(piece, count)
    const start = performance.now()
    try {
      const rows = await classifyMasked(classifier, piece.scene, piece.masks, from, count)
      settle(piece, from, rows)
    } catch (error) {
      piece.fail(error)
    }
    const time = performance.now() - start
    // Down at once and up slowly: what else the machine does makes calls longer, not the shares that fit.
    callTime = callTime === 0 || time < callTime ? time : 0.98 * callTime + 0.02 * time
    // What helpers answer is read between turns of the event loop only.
    if (spread) await nextTurn()
  }

  function take(piece: Piece, count: number): void {
    piece.from += count
    piece.count -= count
    if (piece.count === 0) waiting = waiting.filter((other) => other !== piece)
  }

  function settle(piece: Piece, from: number, rows: readonly Float32Array[]): void {
    rows.forEach((row, i) => (piece.rows[from + i] = row))
    piece.done(rows.length)
  }

  function lend(): void {
    if (!spread) return
    let left = callsOf(waiting)
    if (left > 1) spread.seek()
    let away = callsOf([...given].map(({ piece }) => piece))
    // To each helper as much as stays here, and no more than keeps it busy.
    const fair = Math.ceil((left + away) / (spread.helpers + 1))
    const share = Math.min(callsPerShare(), Math.ceil(fair / sharesPerHelper))
    const most = spread.helpers * Math.min(fair, sharesPerHelper * callsPerShare())
    while (left > 1 && away < most) {
      const calls = give(waiting.at(-1)!, share)
      left -= calls
      away += calls
    }
  }

  function callsOf(pieces: readonly Piece[]): number {
    return pieces.reduce((sum, { count }) => sum + Math.ceil(count / perCall), 0)
  }

  function callsPerShare(): number {
    return Math.max(1, Math.min(mostCalls, Math.round(shareTime / Math.max(callTime, 0.1))))
  }

  /**
   * The last calls of a piece: what is asked first is computed here, so that nobody waits for a helper that is slow.
   * @returns how many calls those are
   */
  function give(piece: Piece, most: number): number {
    const calls = Math.ceil(piece.count / perCall)
    const kept = Math.max(0, calls - most) * perCall
    const from = piece.from + kept
    const count = piece.count - kept
    piece.count = kept
    if (kept === 0) waiting = waiting.filter((other) => other !== piece)
    const share = { piece: { ...piece, from, count }, since: performance.now(), late: false }
    given.add(share)
    const answer = spread!.give({ scene: piece.scene, masks: masksFrom(piece.masks, from, count) })
    void answer.catch(() => null).then((rows) => {
      given.delete(share)
      if (share.late) return
      if (rows) settle(piece, from, rows)
      else waiting.unshift(share.piece)
      wake()
      // It may have come when all else was done.
      void drive()
    })
    return Math.min(calls, most)
  }

  /** Waits for an answer, and takes a share back that keeps everybody waiting. */
  function news(): Promise<void> {
    return new Promise((resolve) => {
      const oldest = [...given].find((share) => !share.late)!
      const allowed = Math.max(patience.least, patience.times * callTime * Math.ceil(oldest.piece.count / perCall) * sharesPerHelper)
      const timer = setTimeout(() => {
        oldest.late = true
        waiting.unshift(oldest.piece)
        resolve()
      }, Math.max(0, oldest.since + allowed - performance.now()))
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  function begin({ masks, side = 'preserve', fill }: MaskQuestion): { rows: Promise<Float32Array[]>; drop(): void } {
    let open = masks.count
    let dropped = false
    const found = new Array<Float32Array>(masks.count)
    const rows = new Promise<Float32Array[]>((resolve, reject) => {
      if (open === 0) return resolve([])
      waiting.push({
        scene: { frame, image, fill, side }, masks, from: 0, count: masks.count, rows: found,
        dropped: () => dropped || closed,
        done(count) {
          open -= count
          if (open === 0) resolve(found)
        },
        fail(error) {
          dropped = true
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      })
    })
    wake()
    void drive()
    return { rows, drop: () => void (dropped = true) }
  }

  return {
    close() {
      closed = true
      wake()
    },
    get forward() {
      return forward
    },
    async ask(question) {
      const rows = await begin(question).rows
      forward += question.masks.count
      return rows
    },
    async *stream<T extends MaskQuestion>(questions: Iterable<T>) {
      const source = questions[Symbol.iterator]()
      const ahead: { question: T; answer: ReturnType<typeof begin> }[] = []
      const calls = (): number => ahead.reduce((sum, { question }) => sum + Math.ceil(question.masks.count / perCall), 0)
      let ended = false
      try {
        while (true) {
          // The one that is handed out next, and as much as keeps everybody busy meanwhile.
          while (!ended && (ahead.length < 2 || calls() < (sharesPerHelper + 1) * (spread?.helpers ?? 0) * callsPerShare())) {
            const next = source.next()
            if (next.done) ended = true
            else {
              const answer = begin(next.value)
              // Whether it fails is asked when its turn comes.
              answer.rows.catch(() => undefined)
              ahead.push({ question: next.value, answer })
            }
          }
          const first = ahead.shift()
          if (!first) return
          const rows = await first.answer.rows
          forward += first.question.masks.count
          yield { question: first.question, rows }
        }
      } finally {
        for (const { answer } of ahead) answer.drop()
        source.return?.()
      }
    },
  }
}
