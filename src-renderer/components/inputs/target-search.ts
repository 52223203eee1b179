import type { ClassScore } from '#shared/contract/models.ts'

export interface FoundClass {
  index: number
  label: string
  /** Of the current image, where it is among the known ones. */
  probability: number | null
}

/** A list of a thousand classes is searched, not read. */
export const mostFound = 50

/**
 * Classes that a search finds: those whose label begins with it, then those with a word that does, then those that hold
 * it, then the class of that number; without a search the known top classes and then the others in their order.
 */
export function findClasses(
  classes: number, labels: readonly string[] | null, query: string, top: readonly ClassScore[],
): { found: FoundClass[]; more: number } {
  const wanted = query.trim().toLowerCase()
  const ranked: { index: number; rank: number }[] = []
  const topRank = new Map(top.map((score, i) => [score.index, i]))
  for (let index = 0; index < classes; index++) {
    const rank = rankOf(labelOf(index, labels).toLowerCase(), index, wanted)
    if (rank !== null) ranked.push({ index, rank: wanted === '' ? topRank.get(index) ?? top.length : rank })
  }
  ranked.sort((a, b) => a.rank - b.rank || a.index - b.index)
  const probability = new Map(top.map((score) => [score.index, score.probability]))
  return {
    found: ranked.slice(0, mostFound).map(({ index }) => ({ index, label: labelOf(index, labels), probability: probability.get(index) ?? null })),
    more: Math.max(0, ranked.length - mostFound),
  }
}

export function labelOf(index: number, labels: readonly string[] | null): string {
  return labels?.[index] ?? `class ${index}`
}

function rankOf(label: string, index: number, wanted: string): number | null {
  if (wanted === '' || label.startsWith(wanted)) return 0
  if (label.includes(` ${wanted}`)) return 1
  if (label.includes(wanted)) return 2
  return String(index) === wanted ? 3 : null
}
