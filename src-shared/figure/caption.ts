import { seesAll } from '../imaging/overlay.ts'
import { colormap, type ColormapId } from '../imaging/colormap.ts'
import type { Limits, Normalisation } from '../imaging/normalisation.ts'
import { mapTitle } from './map-kind.ts'
import { numberText, probabilityText } from './numbers.ts'
import type { RunFigureData } from './run-figure-data.ts'
import type { Span } from './text.ts'

export interface CaptionFacts {
  colormap: ColormapId
  limits: Limits
  normalisation: Normalisation
  /** Letters of the panels that are there. */
  panels: { loss: string | null; probability: string | null }
  /** Lower end of a logarithmic loss axis on which lower values lie; null where none does. */
  lossFloor: number | null
  logarithmic: boolean
  /** Iterations that a running median takes together; null where none is drawn. */
  medianOver: number | null
}

/** What stands below a run's figure: everything that changes what is seen or the numbers, nothing that time changes. */
export function runCaption(data: RunFigureData, facts: CaptionFacts): Span[] {
  return [...runSentences(data), ...pictureSentences(data, facts), ...chartSentences(data, facts)]
}

function runSentences(data: RunFigureData): Span[] {
  const { original, masked } = data.probability
  const spans: Span[] = [{ text: `${data.image}. `, style: 'bold' }, { text: `${targetName(data)} (class ${data.target.index}` }]
  if (original !== null) spans.push({ text: ', ' }, ...equation('p', original))
  spans.push({ text: `) by ${data.model}, explained by ${data.method}` })
  if (data.settings.length > 0) spans.push({ text: ` (${data.settings.join('; ')})` })
  spans.push({ text: `: score ${data.score}, ${data.iterations} iteration${data.iterations === 1 ? '' : 's'}, seed ${data.seed}, backend ${data.backend}, executor ${data.executor}.` })
  if (masked !== null) spans.push({ text: data.deletes ? ' Without what the mask marks ' : ' Under the mask ' }, ...equation('p', masked), { text: '.' })
  return spans
}

function pictureSentences(data: RunFigureData, { colormap: id, limits, normalisation }: CaptionFacts): Span[] {
  const framed = !seesAll(data.view)
  const { title, diverging } = colormap(id)
  return [
    letter('a'), { text: framed ? 'Input; the frame marks what the classifier sees.' : 'Input.' },
    letter('b'),
    { text: `${mapTitle(data)} at its own resolution, ${data.map.width}\u00a0×\u00a0${data.map.height}, ${limitsText(limits, normalisation)}.` },
    letter('c'),
    { text: `${mapTitle(data)} over the desaturated input: colour (${title}${diverging ? ', white at zero' : ''}) and opacity by value${framed ? '; faded: not seen by the classifier' : ''}.` },
  ]
}

function chartSentences(data: RunFigureData, { panels, lossFloor, logarithmic, medianOver }: CaptionFacts): Span[] {
  const spans: Span[] = []
  if (panels.loss) {
    const floor = lossFloor === null ? '' : `; values up to ${numberText(lossFloor)} lie on the axis`
    const loss = isMinimised(data)
    spans.push(letter(panels.loss), {
      text: `${loss ? 'Loss and its terms' : 'Course'} by iteration${logarithmic ? ' (log axis)' : ''}, last values beside the lines${floor}${loss ? '; lower is better' : ''}.`,
    })
  }
  if (panels.probability) {
    const dashed = data.probability.original === null ? '' : '; dashed: of the original image'
    spans.push(letter(panels.probability), { text: `Probability of the target ${data.deletes ? 'without what the mask marks' : 'under the mask'}${dashed}.` })
  }
  if (medianOver !== null) spans.push({ text: ` Pale: every iteration; full: running median of ${medianOver}\u00a0iterations.` })
  return spans
}

/** Whether the course is that of a loss; other numbers are only told, and none of them is better low. */
export function isMinimised({ losses }: Pick<RunFigureData, 'losses'>): boolean {
  return losses.terms.some(({ name }) => name === 'total')
}

export function targetName(data: Pick<RunFigureData, 'target'>): string {
  return data.target.label ?? `class ${data.target.index}`
}

function limitsText({ low, high }: Limits, normalisation: Normalisation): string {
  const span = `${numberText(low)}\u00a0to\u00a0${numberText(high)}`
  switch (normalisation) {
    case 'range': return `not normalised (limits ${span})`
    case 'map': return `normalised per map (limits ${span})`
    case 'percentile-99': return `normalised to its 99th percentile (limits ${span}, values beyond clipped)`
  }
}

function equation(symbol: string, p: number): Span[] {
  return [{ text: symbol, style: 'italic' }, { text: `\u00a0=\u00a0${probabilityText(p)}` }]
}

function letter(name: string): Span {
  return { text: ` (${name})\u00a0`, style: 'bold' }
}
