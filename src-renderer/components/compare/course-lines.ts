import type { RunCourse } from '../../stores/course.ts'

/** The fitness of a population on its way: its median between the least and the greatest; null where the run has none. */
export function bandOf({ terms, losses }: Pick<RunCourse, 'terms' | 'losses'>): { middle: number[]; low: number[]; high: number[] } | null {
  const [best, median, worst] = ['best', 'median', 'worst'].map((term) => losses[terms.indexOf(term)])
  if (!best || !median || !worst) return null
  return { middle: median, low: best.map((value, i) => Math.min(value, worst[i]!)), high: best.map((value, i) => Math.max(value, worst[i]!)) }
}

/** What courses tell that is no loss, fitness or score: how far an estimate has settled. */
const elsewhere = new Set(['total', 'best', 'median', 'worst', 'score', 'logit', 'methods'])

/** Each once, of courses that minimise nothing. */
export function quantitiesOf(courses: readonly Pick<RunCourse, 'terms'>[]): string[] {
  return [...new Set(courses.filter(({ terms }) => !terms.includes('total')).flatMap(({ terms }) => terms.filter((term) => !elsewhere.has(term))))]
}
