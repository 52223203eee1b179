import type { ClassReport, Diversity, ReconstructionReport, ReportControls } from '#shared/domain/reconstruction.ts'
import { bootstrapMean, type Interval } from '#shared/statistics/bootstrap.ts'
import { controlNames, type InputFindings } from './report.ts'
import { meanSpread, type Spread } from './report-diversity.ts'
import type { ReportData } from './report-subjects.ts'

/** A report before it is known where its generator lies and how the classes are called. */
export type BareReport = Omit<ReconstructionReport, 'generator'>

/** The report of what was found of each input. Intervals are 95% bootstrap over inputs, which are drawn alike for all of them. */
export function summarise(findings: InputFindings, data: ReportData, seed: number): BareReport {
  const { outcomes, judged, labels } = data.test
  const interval = (values: readonly number[]): Interval => bootstrapMean(values, { seed })
  const kept = equal(findings.seen, outcomes)
  const nearer = interval(findings.nearer)
  const controls = eachControl((name) => finite(interval(findings.controls[name].explained)))
  return {
    images: outcomes.length,
    classifierAccuracy: known(mean(equal(outcomes, labels))),
    judgeAccuracy: judged && known(mean(equal(judged, labels))),
    judgeOnClean: judged && mean(equal(judged, outcomes)),
    rawAgreement: judged && interval(equal(findings.judged, outcomes)),
    inLoop: mean(kept),
    controls: eachControl((name) => controls[name]?.mean ?? null),
    acceptance: findings.curve.map(({ temperature, accepted, spread }) => {
      const { outside, inside } = temperature === 0 ? { outside: 0, inside: 0 } : diversity(spread)
      return { temperature, rate: mean(accepted), images: accepted.length, outside, inside }
    }),
    diversity: diversity(atOne(findings).spread),
    memorising: { p: nearer.mean, high: nearer.high },
    perClass: perClass(findings, data),
    confusion: confusion(outcomes, findings.seen, data.classes),
    intervals: { inLoop: interval(kept), controls },
    judgeControls: judged && eachControl((name) => known(mean(findings.controls[name].judge))),
  }
}

function perClass(findings: InputFindings, { test: { outcomes, judged }, classes }: ReportData): ClassReport[] {
  const [kept, agreed, clean] = [equal(findings.seen, outcomes), equal(findings.judged, outcomes), equal(judged ?? [], outcomes)]
  const { accepted, spread } = atOne(findings)
  return Array.from({ length: classes }, (_, own) => own).flatMap((own) => {
    const members = Array.from(outcomes.keys()).filter((i) => outcomes[i] === own)
    if (members.length === 0) return []
    const share = (values: readonly number[]): number => mean(members.map((i) => values[i]!))
    const { empty, randomMask, maskAlone } = findings.controls
    return [{
      class: own, label: null, images: members.length, inLoop: share(kept), rawAgreement: judged && share(agreed), judgeOnClean: judged && share(clean),
      acceptance: share(accepted), empty: share(empty.explained), randomMask: share(randomMask.explained), maskAlone: share(maskAlone.explained),
      diversity: diversity(members.map((i) => spread[i]!)),
    }]
  })
}

/** @returns counts, rows the clean prediction, columns that of the reconstruction */
function confusion(outcomes: Int32Array, seen: readonly number[], classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  outcomes.forEach((outcome, i) => counts[outcome]![seen[i]!]!++)
  return counts
}

function atOne({ curve }: InputFindings): InputFindings['curve'][number] {
  return curve.find(({ temperature }) => temperature === 1)!
}

/** 1 or 0, NaN where one of the two is not known (−1). */
function equal(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from(a, (value, i) => (value < 0 || b[i]! < 0 ? NaN : value === b[i] ? 1 : 0))
}

function eachControl<Value>(to: (name: (typeof controlNames)[number]) => Value): ReportControls<Value> {
  return Object.fromEntries(controlNames.map((name) => [name, to(name)])) as unknown as ReportControls<Value>
}

function diversity(spreads: readonly Spread[]): Diversity {
  const { outside, inside, outsideReal, insideReal } = meanSpread(spreads)
  return { outside: known(outside), inside: known(inside), outsideReal: known(outsideReal), insideReal: known(insideReal) }
}

/** NaN where there is nothing to average. */
function mean(values: readonly number[]): number {
  const finiteOnes = values.filter(Number.isFinite)
  return finiteOnes.length === 0 ? NaN : finiteOnes.reduce((sum, value) => sum + value, 0) / finiteOnes.length
}

/** JSON has no NaN. */
function known(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function finite(interval: Interval): Interval | null {
  return Number.isFinite(interval.mean) ? interval : null
}
