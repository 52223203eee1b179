/** Rises linearly over `warmUp` steps, then falls to 0 along half a cosine. @param step from 1 */
export function rateAt(step: number, { learningRate, warmUp, steps }: { learningRate: number; warmUp: number; steps: number }): number {
  if (step <= warmUp) return (learningRate * step) / warmUp
  return (learningRate / 2) * (1 + Math.cos((Math.PI * (step - warmUp)) / (steps - warmUp)))
}
