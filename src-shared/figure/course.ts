/** Values by the name of a term, as a run's course has them. */
export type TermOf = (name: string) => readonly number[] | undefined

export interface FitnessBand {
  middle: readonly number[]
  low: readonly number[]
  high: readonly number[]
}

/** The fitness of a population on its way: its median between the least and the greatest; null where the run has none. */
export function fitnessBand(term: TermOf): FitnessBand | null {
  const [best, median, worst] = ['best', 'median', 'worst'].map(term)
  if (!best || !median || !worst) return null
  return { middle: median, low: best.map((value, i) => Math.min(value, worst[i]!)), high: best.map((value, i) => Math.max(value, worst[i]!)) }
}

/** Terms that tell how far an estimate has settled, and what each is called. */
const settling: readonly (readonly [name: string, title: string])[] = [['standard-error', 'Mean standard error of the map'], ['error', 'Error of the fit']]

/** null where nothing of the course tells how far it has settled. */
export function convergenceOf(term: TermOf): { title: string; values: readonly number[] } | null {
  for (const [name, title] of settling) {
    const values = term(name)
    if (values) return { title, values }
  }
  return null
}
