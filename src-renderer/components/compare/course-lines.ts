import { fitnessBand, type FitnessBand } from '#shared/figure/course.ts'
import type { RunCourse } from '../../stores/course.ts'

/** The fitness of a population on its way; null where the run has none. */
export function bandOf({ terms, losses }: Pick<RunCourse, 'terms' | 'losses'>): FitnessBand | null {
  return fitnessBand((name) => losses[terms.indexOf(name)])
}

/** What courses tell that is no loss, fitness or score: how far an estimate has settled. */
const elsewhere = new Set(['total', 'best', 'median', 'worst', 'score', 'logit', 'methods'])

/** Each once, of courses that minimise nothing. */
export function quantitiesOf(courses: readonly Pick<RunCourse, 'terms'>[]): string[] {
  return [...new Set(courses.filter(({ terms }) => !terms.includes('total')).flatMap(({ terms }) => terms.filter((term) => !elsewhere.has(term))))]
}
