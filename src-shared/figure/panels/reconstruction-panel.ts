import { MaskscopeError } from '../../domain/errors.ts'
import type { FigureNumber } from '../figure-data.ts'
import { mutedInk } from '../style.ts'
import type { PanelOf } from '../spec.ts'
import type { Span } from '../text.ts'
import { sentence, type Panel, type PanelContext } from './panel.ts'
import { pictureGridPanel, type PictureCell, type PictureRow } from './picture-grid.ts'
import { equation } from './run-labels.ts'

const easyCell = 13

/** An image, its salient input, and what a generator makes of it. @throws MaskscopeError 'usage' where there is no such sheet */
export function reconstructionPanel(spec: PanelOf<'reconstruction'>, context: PanelContext): Panel {
  const sheet = context.facts.reconstructions.get(`${spec.reconstruction}/${spec.image}`)
  if (!sheet) {
    throw new MaskscopeError('usage', `There are no stored variations "${spec.image}" of the reconstruction "${spec.reconstruction}" in the study ${context.facts.study}. Make and keep some in the Reconstruct view.`, { subject: spec.reconstruction })
  }
  const shown = sheet.variations.slice(0, spec.variations)
  const plain = (picture: PictureCell['picture'], above: string | null, below: readonly Span[] | null): PictureCell =>
    ({ picture, pixelated: false, lines: [], framed: true, above, below })
  const outcome = spec.classes && sheet.outcome !== null ? [{ text: sheet.outcome }] : null
  const probability = spec.probabilities && sheet.probability !== null ? equation('p', sheet.probability) : null
  const cells = [
    plain(sheet.input, 'Input', probability),
    plain(sheet.salient, 'Salient input', null),
    ...shown.map(({ picture, probability, accepted }, i) => plain(picture, i === 0 ? 'Variations' : null, belowOf(spec, probability, accepted))),
  ]
  const gridAt = (width: number): ReturnType<typeof pictureGridPanel> => {
    const most = Math.max(1, Math.floor((width + context.gutter) / (easyCell + context.gutter)))
    const across = Math.min(cells.length, spec.across ?? Math.ceil(cells.length / Math.ceil(cells.length / most)))
    const rows: PictureRow[] = []
    for (let i = 0; i < cells.length; i += across) rows.push({ label: i === 0 && outcome ? [outcome] : [], cells: cells.slice(i, i + across), bar: null })
    return pictureGridPanel(context, { columns: across, rows, bars: [], barFrom: 0 }, spec.title)
  }
  const judged = shown.filter(({ accepted }) => accepted !== null)
  return {
    grows: false,
    height: (width) => gridAt(width).height(width),
    draw: (area) => gridAt(area.width).draw(area),
    caption: sentence(context, `${sheet.image}, its salient input, and ${shown.length} variations by the generator ${spec.reconstruction}${judged.length > 0 ? `; ${judged.filter(({ accepted }) => accepted).length} of ${judged.length} keep the outcome${judged.some(({ accepted }) => !accepted) ? ', × marks those that do not' : ''}` : ''}.`),
    numbers: shown.map(({ probability, accepted }, i): FigureNumber => ({
      panel: context.name, run: spec.reconstruction, series: `variation ${i + 1}${accepted === null ? '' : accepted ? ', accepted' : ', not accepted'}`, quantity: 'probability of the class', x: null, value: probability, low: null, high: null,
    })),
  }
}

function belowOf({ probabilities }: PanelOf<'reconstruction'>, probability: number | null, accepted: boolean | null): Span[] | null {
  const spans: Span[] = [
    ...(probabilities && probability !== null ? equation('p', probability) : []),
    ...(accepted === false ? [{ text: probabilities && probability !== null ? ' ×' : '×', colour: mutedInk }] : []),
  ]
  return spans.length > 0 ? spans : null
}
