import type { ReconstructionPhase, ReconstructionRow, WindowReport } from '#shared/contract/reconstruction.ts'
import { countText } from '../runs/run-text.ts'

export const phaseTitles: Readonly<Record<ReconstructionPhase, string>> = { salient: 'Salient inputs', training: 'Training', report: 'Report' }

/** 0 to 1 of the phase; null where nobody knows. */
export function shareOf({ done, all }: Pick<ReconstructionRow, 'done' | 'all'>): number | null {
  return all === null || all === 0 ? null : Math.min(1, done / all)
}

/** What stands in the row of a table. */
export function stateText(row: ReconstructionRow): string {
  const { state, phase } = row
  if (state === 'queued') return 'waits'
  if (state !== 'running' && state !== 'paused') return state
  const share = shareOf(row)
  const percent = share === null ? '' : ` ${Math.floor(share * 100)}%`
  const what = phase === null ? state : `${phaseTitles[phase].toLowerCase()}${percent}`
  return state === 'paused' ? `paused: ${what}` : what
}

/** How far and how long still, e.g. "1,200 of 10,000, 4 min left". */
export function progressText(row: Pick<ReconstructionRow, 'done' | 'all' | 'secondsLeft' | 'phase' | 'epoch' | 'epochs'>): string {
  const parts = [row.phase === 'training' ? `epoch ${Math.min(row.epoch + 1, row.epochs)} of ${row.epochs}` : row.all === null ? countText(row.done) : `${countText(row.done)} of ${countText(row.all)}`]
  if (row.secondsLeft !== null) parts.push(`${leftText(row.secondsLeft)} left`)
  return parts.join(', ')
}

/** Rounded as far as a guess can be trusted. */
export function leftText(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}

/** A share as reports print it. */
export function share(value: number | null): string {
  return value === null ? '–' : value.toFixed(3)
}

export interface ShareRow {
  id: string
  title: string
  /** One sentence. */
  help: string
  value: number | null
  /** The same by the judge. */
  judged: number | null
  low: number | null
  high: number | null
  /** Where an honest generator should lie, in words. */
  wanted: string
  /** Ends of the range it should lie in. */
  range: [number, number] | null
  headline: boolean
}

/** The headline and its controls, as the report's chart shows them; what could not be made is left out. */
export function shareRows(report: WindowReport): ShareRow[] {
  const { controls, judgeControls, intervals, rawAgreement, judgeOnClean } = report
  const control = (id: keyof WindowReport['controls'], title: string, help: string, wanted = '', range: ShareRow['range'] = null): ShareRow => ({
    id, title, help, wanted, range, headline: false,
    value: controls[id], judged: judgeControls?.[id] ?? null, low: intervals.controls[id]?.low ?? null, high: intervals.controls[id]?.high ?? null,
  })
  return [
    {
      id: 'inLoop', title: 'Outcome kept', value: report.inLoop, judged: null, low: intervals.inLoop.low, high: intervals.inLoop.high, headline: true, range: null, wanted: '',
      help: 'Share of the reconstructions to which the explained classifier gives the class that it gave the clean image.',
    },
    {
      id: 'rawAgreement', title: 'Outcome kept, by the judge', value: rawAgreement?.mean ?? null, judged: null, low: rawAgreement?.low ?? null, high: rawAgreement?.high ?? null, headline: true, range: null,
      wanted: judgeOnClean === null ? '' : `${share(judgeOnClean)} of the clean images`,
      help: 'Share of the reconstructions to which the judge, which is in no loss, gives the class that the explained classifier gave the clean image.',
    },
    control('swapped', 'Another image’s salient input', 'Share of the reconstructions that follow the salient input they were made from, not the image it was put in for.', 'at least .80', [0.8, 1]),
    control('randomMask', 'Random mask of equal area', 'Outcome kept where a random mask of the same area takes the place of the explanation’s.', 'well below'),
    control('maskAlone', 'Mask alone', 'Outcome kept where the generator sees the mask without its pixels: what its outline betrays.', 'well below'),
    control('empty', 'Empty input', 'Outcome kept where the generator sees nothing at all.', 'at most .20', [0, 0.2]),
    control('salientUndecoded', 'Salient input, undecoded', 'Outcome kept where the classifier is given the salient input itself.'),
    control('randomOfClass', 'Random image of the class', 'Outcome kept where a random training image of the class takes the place of the reconstruction.'),
  ].filter(({ value }) => value !== null)
}

/** Of a whole report, as a table that a spreadsheet takes: name, value, ends of the interval, the judge's value. */
export function reportTable(report: WindowReport): string {
  const { diversity, memorising } = report
  const plain: (string | number | null)[][] = [
    ...shareRows(report).map(({ title, value, low, high, judged }) => [title, value, low, high, judged]),
    ['Explained classifier, true labels', report.classifierAccuracy], ['Judge, true labels', report.judgeAccuracy], ['Judge on clean images', report.judgeOnClean],
    ['Diversity outside', diversity.outside], ['Diversity inside', diversity.inside],
    ['Diversity of real images outside', diversity.outsideReal], ['Diversity of real images inside', diversity.insideReal],
    ['Memorising P', memorising.p, null, memorising.high],
    ...report.acceptance.map(({ temperature, rate }) => [`Accepted at temperature ${temperature}`, rate]),
  ]
  return [['', 'value', 'low', 'high', 'judge'], ...plain].map((cells) => Array.from({ length: 5 }, (_, i) => cells[i] ?? '').join('\t')).join('\n')
}

/** How a reconstruction is told apart from its fellows, e.g. "conditional, γ 0.5, β 2". */
export function settingsText({ settings }: Pick<ReconstructionRow, 'settings'>): string {
  const { conditional, gamma, beta, latent } = settings
  return [
    conditional === true ? 'class-conditional' : '', typeof gamma === 'number' && gamma > 0 ? `γ ${gamma}` : '',
    typeof beta === 'number' ? `β ${beta}` : '', typeof latent === 'number' ? `latent ${latent}` : '',
  ].filter(Boolean).join(', ')
}
