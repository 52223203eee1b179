/** Values that belong together, e.g. those of one photo: sum and number of the finite ones. */
export interface Cluster {
  sum: number
  count: number
}

/**
 * @param values NaN where there is none: it stands for nothing, but keeps its place, so that columns stay paired
 * @param labels which values belong together; each stands alone without them
 * @returns in the order in which the labels first appear
 */
export function gather(values: readonly number[], labels?: readonly (number | string)[]): Cluster[] {
  if (labels && labels.length !== values.length) throw new RangeError(`${values.length} values and ${labels.length} labels of clusters do not fit.`)
  const clusters = new Map<number | string, Cluster>()
  values.forEach((value, i) => {
    const label = labels ? labels[i]! : i
    const cluster = clusters.get(label) ?? { sum: 0, count: 0 }
    clusters.set(label, cluster)
    if (!Number.isFinite(value)) return
    cluster.sum += value
    cluster.count++
  })
  return [...clusters.values()]
}
