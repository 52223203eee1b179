import type { Shape } from '../graph.ts'
import type { Stored } from './layout.ts'

interface Group {
  from: number[]
  to: number[]
}

/**
 * The order of a reshaped value where the value in memory can stay as it is: a reshape splits axes and joins neighbouring
 * ones, and does not mind how they lie among the others as long as those it joins lie together.
 * @returns null where the value must be in its natural order first
 */
export function reshapedOrder(value: Stored, shape: Shape): number[] | null {
  const order: number[] = []
  const groups = groupsOf(value.shape, shape)
  let place = 0
  while (place < value.order.length) {
    const group = groups.find(({ from }) => from[0] === value.order[place])
    if (!group || group.from.some((axis, i) => value.order[place + i] !== axis)) return null
    order.push(...group.to)
    place += group.from.length
  }
  return order.length === shape.length ? order : null
}

/** The shortest runs of axes that hold the same elements before and after. */
function groupsOf(from: Shape, to: Shape): Group[] {
  const groups: Group[] = []
  let [i, j] = [0, 0]
  while (i < from.length && j < to.length) {
    const group: Group = { from: [i], to: [j] }
    let [a, b] = [from[i++]!, to[j++]!]
    while (a !== b) {
      // the batch is a factor like any other, and its sign says on which side it is still missing
      const behind = Math.abs(a) < Math.abs(b) || (Math.abs(a) === Math.abs(b) && a > 0)
      if (behind ? i >= from.length : j >= to.length) return []
      if (behind) {
        group.from.push(i)
        a *= from[i++]!
      } else {
        group.to.push(j)
        b *= to[j++]!
      }
    }
    groups.push(group)
  }
  const last = groups[groups.length - 1]
  if (!last) return []
  // what is left has length 1
  while (i < from.length) last.from.push(i++)
  while (j < to.length) last.to.push(j++)
  return groups
}
