/** One generation of an island. */
export interface Generation {
  /** Individuals before it, and trials in it. */
  size: number
  /** Another fill from here on: the parents are judged again beside the trials. */
  redrawn: boolean
  /** Queries of one island so far, with this generation's. */
  spent: number
}

export interface ScheduleOptions {
  /** Queries of one island. */
  budget: number
  /** Queries for one individual: two in the mode dual. */
  each: number
  /** Individuals at the start and at the end; the same where the population does not shrink. */
  first: number
  last: number
  /** Generations under one fill; 0: all. */
  redraw: number
  /** What is left of the budget at the end, less than a generation: of a control, which is to have no fewer queries. Else it stays unspent. */
  remainder: boolean
}

/**
 * The generations of an island, from the budget alone: the first is the initial population, and no more queries are made than the
 * budget allows. The population falls linearly with what is spent.
 */
export function planGenerations({ budget, each, first, last, redraw, remainder }: ScheduleOptions): Generation[] {
  const plan: Generation[] = [{ size: first, redrawn: false, spent: first * each }]
  for (;;) {
    const { spent } = plan.at(-1)!
    const size = Math.max(last, Math.round(first + (last - first) * (spent / budget)))
    const redrawn = redraw > 0 && plan.length % redraw === 0
    const cost = size * each * (redrawn ? 2 : 1)
    if (spent + cost > budget) {
      const left = remainder ? Math.floor((budget - spent) / each) : 0
      return left > 0 ? [...plan, { size: left, redrawn: false, spent: spent + left * each }] : plan
    }
    plan.push({ size, redrawn, spent: spent + cost })
  }
}
