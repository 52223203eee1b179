import { factorise } from './cholesky.ts'
import type { Coalitions } from './coalitions.ts'
import { addOuter, mirror } from './linear-fit.ts'

/**
 * KernelSHAP's regression with Σφ = f(all) − f(none) exactly: the last player is eliminated, φ_M = Δ − Σφ_j, and the rest is
 * the weighted least squares of f(z) − f(none) − z_M·Δ on z_j − z_M.
 * @param values f of each coalition
 */
export function constrainedShapley({ members, weights }: Pick<Coalitions, 'members' | 'weights'>, values: ArrayLike<number>, none: number, all: number): Float64Array {
  const players = members.length / values.length
  const difference = all - none
  const free = players - 1
  const gram = new Float64Array(free * free)
  const moment = new Float64Array(free)
  const row = new Float64Array(free)
  for (let i = 0; i < values.length; i++) {
    const last = members[i * players + free]!
    const y = values[i]! - none - last * difference
    for (let j = 0; j < free; j++) {
      row[j] = members[i * players + j]! - last
      moment[j]! += weights[i]! * row[j]! * y
    }
    addOuter(gram, row, free, weights[i]!)
  }
  mirror(gram, free)
  const phi = new Float64Array(players)
  phi.set(free > 0 ? factorise(gram, free).solve(moment) : [])
  phi[free] = difference - phi.reduce((sum, value) => sum + value, 0)
  return phi
}
