import type { LayersReport } from '#shared/contract/models.ts'

export type Layer = LayersReport['layers'][number]

export const layerColumnIds = ['graph', 'name', 'operation', 'shape', 'parameters', 'multiplyAdds', 'field'] as const
export type LayerColumnId = (typeof layerColumnIds)[number]

export interface LayerSorting {
  column: LayerColumnId
  descending: boolean
}

/** As the graph computes them. */
export const graphOrder: LayerSorting = { column: 'graph', descending: false }

const numbers: ReadonlySet<LayerColumnId> = new Set(['shape', 'parameters', 'multiplyAdds', 'field'])

/** What a click on a column's head makes of the order; numbers begin with the greatest, and the third click goes back to the graph's. */
export function layerSortingAfter(before: LayerSorting, column: LayerColumnId): LayerSorting {
  if (column === 'graph') return graphOrder
  const first = numbers.has(column)
  if (before.column !== column) return { column, descending: first }
  return before.descending === first ? { column, descending: !first } : graphOrder
}

export interface LayerFilter {
  /** Every word must occur in the name, the operation, the shape or what the layer computes. */
  text: string
  convolutions: boolean
}

const convolutions: readonly string[] = ['conv2d', 'depthwiseConv2d', 'conv2dTranspose']

export function isConvolution({ op }: Layer): boolean {
  return convolutions.includes(op)
}

export function filterLayers(layers: readonly Layer[], { text, convolutions: only }: LayerFilter): Layer[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return layers.filter((layer) => {
    if (only && !isConvolution(layer)) return false
    const said = [layer.name, layer.operation, layer.op, shapeText(layer.shape), ...layer.computes].join('\n').toLowerCase()
    return words.every((word) => said.includes(word))
  })
}

/** @param layers in the graph's order */
export function sortLayers(layers: readonly Layer[], { column, descending }: LayerSorting): Layer[] {
  const key = keyOf(column)
  if (key === null) return [...layers]
  const sign = descending ? -1 : 1
  return layers.map((layer, at) => ({ layer, at, key: key(layer) })).sort((a, b) => {
    const order = typeof a.key === 'string' ? a.key.localeCompare(String(b.key), 'en', { numeric: true }) : a.key === b.key ? 0 : a.key - Number(b.key)
    return order === 0 ? a.at - b.at : sign * order
  }).map(({ layer }) => layer)
}

function keyOf(column: LayerColumnId): ((layer: Layer) => string | number) | null {
  switch (column) {
    case 'graph': return null
    case 'name': return (layer) => layer.name
    case 'operation': return (layer) => layer.operation
    case 'shape': return (layer) => layer.shape.reduce((product, n) => product * n, 1)
    case 'parameters': return (layer) => layer.parameters
    case 'multiplyAdds': return (layer) => layer.multiplyAdds
    case 'field': return (layer) => layer.receptiveField?.size ?? Infinity
  }
}

export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'one number' : shape.join(' × ')
}

/** E.g. "43 px", in the list. */
export function fieldText({ receptiveField: field }: Layer): string {
  if (field === null) return 'all'
  return field.size === 0 ? 'none' : `${field.size} px`
}

/** In words. */
export function fieldSentence({ receptiveField: field }: Layer): string {
  if (field === null) return 'the whole picture'
  if (field.size === 0) return 'nothing of the picture'
  return `${field.size} × ${field.size} px, every ${field.stride === 1 ? '' : `${Number(field.stride.toFixed(2))} `}px`
}

/** Why CAM methods cannot take a layer; null where they can. */
export function whyNoCam(layer: Layer): string | null {
  if (layer.cam) return null
  if (layer.shape.length !== 3) return 'CAM methods take layers with rows, columns and channels.'
  const [height = 1, width = 1] = layer.shape
  if (height >= 4 && width >= 4) return 'It finds nothing of its own: CAM methods take convolutions and what is made of them.'
  return `It has ${height} × ${width} places; CAM methods need 4 × 4 at least.`
}

const units = ['', 'k', 'M', 'G', 'T'] as const

/** With three digits that count: "64", "9.41 k", "1.85 G". */
export function amountText(value: number): string {
  let [scaled, unit] = [value, 0]
  while (scaled >= 999.5 && unit < units.length - 1) [scaled, unit] = [scaled / 1000, unit + 1]
  return unit === 0 ? String(value) : `${Number(scaled.toPrecision(3))} ${units[unit]!}`
}
