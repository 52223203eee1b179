import type { Diversity, ReconstructionReport, ReportControls, ShareInterval } from '#shared/domain/reconstruction.ts'
import { table, text } from './benchmark-tables.ts'
import type { Row } from './reconstruction.ts'

function interval(share: ShareInterval | null): string {
  return share === null ? '–' : `${text(share.mean)} [${text(share.low)}, ${text(share.high)}]`
}

function ratio({ outside, outsideReal }: Diversity): number | null {
  return outside === null || outsideReal === null || outsideReal === 0 ? null : outside / outsideReal
}

export function headlineTable(rows: readonly Row[]): string {
  return table(
    ['generator', 'kept by the explained classifier', 'agreed by the judge', 'diversity outside', 'inside', 'outside, share of the real', 'nearer to training images, upper limit'],
    rows.map(({ name, report }) => [
      name, interval(report.intervals.inLoop), interval(report.rawAgreement), text(report.diversity.outside), text(report.diversity.inside), text(ratio(report.diversity)),
      `${text(report.memorising.p)}, ${text(report.memorising.high)}`,
    ]),
  )
}

const controls: readonly [keyof ReportControls, string][] = [
  ['empty', 'empty'], ['randomMask', 'random mask'], ['swapped', 'swapped, follows its source'], ['maskAlone', 'mask alone'], ['salientUndecoded', 'salient input, undecoded'], ['randomOfClass', 'random image of the class'],
]

export function controlsTable(rows: readonly Row[]): string {
  return table(['generator', ...controls.map(([, title]) => title)], rows.map(({ name, report }) => [
    name, ...controls.map(([key]) => `${text(report.controls[key])} (${text(report.judgeControls?.[key])})`),
  ]))
}

export function temperatureTable({ report }: Row): string {
  return table(['temperature', ...report.acceptance.map(({ temperature }) => String(temperature))], [
    ['accepted', ...report.acceptance.map(({ rate }) => text(rate))], ['diversity outside', ...report.acceptance.map(({ outside }) => text(outside))], ['diversity inside', ...report.acceptance.map(({ inside }) => text(inside))],
  ])
}

export function perClassTable({ report }: Row): string {
  return table(['class', 'images', 'kept', 'agreed by the judge', 'judge on clean', 'accepted of 16', 'empty', 'random mask', 'mask alone', 'outside, share of the real', 'most taken for'], report.perClass.map((row) => {
    const counts = report.confusion[row.class]!
    const other = counts.reduce((best, count, i) => (i !== row.class && count > (best < 0 ? 0 : counts[best]!) ? i : best), -1)
    return [
      row.label ?? String(row.class), String(row.images), text(row.inLoop), text(row.rawAgreement), text(row.judgeOnClean), text(row.acceptance), text(row.empty), text(row.randomMask), text(row.maskAlone),
      text(ratio(row.diversity)), other < 0 ? '–' : `${report.perClass.find((one) => one.class === other)?.label ?? other} (${counts[other]})`,
    ]
  }))
}

/** The targets of the class-free generator, each in words, whichever way it falls. */
export function verdict(report: ReconstructionReport): string {
  const { controls: found, diversity, memorising, inLoop, rawAgreement, judgeOnClean } = report
  const lines: [string, number | null, string, boolean][] = [
    ['Kept by the explained classifier', inLoop, 'at least .89', inLoop >= 0.89],
    ['Agreed by the judge', rawAgreement?.mean ?? null, `at least ${text((judgeOnClean ?? NaN) - 0.04)}, four points below the clean images`, (rawAgreement?.mean ?? 0) >= (judgeOnClean ?? 1) - 0.04],
    ['Empty input', found.empty, 'at most .20', (found.empty ?? 1) <= 0.2],
    ['Swapped, follows its source', found.swapped, 'at least .80', (found.swapped ?? 0) >= 0.8],
    ['Diversity outside, of the real', ratio(diversity), 'at least .25', (ratio(diversity) ?? 0) >= 0.25],
    ['Diversity outside over inside', (diversity.outside ?? 0) / (diversity.inside ?? NaN), 'at least 2', (diversity.outside ?? 0) >= 2 * (diversity.inside ?? Infinity)],
    ['Nearer to training images', memorising.p, 'at most .55', memorising.p <= 0.55],
  ]
  return table(['class-free', 'found', 'wanted', ''], lines.map(([name, value, wanted, met]) => [name, text(value), wanted, met ? 'met' : '**missed**']))
}
