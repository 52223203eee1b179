import type { MethodInfo } from '#shared/contract/models.ts'
import type { RunDetail, RunRow } from '#shared/contract/runs.ts'
import type { Evaluations } from '#shared/domain/run.ts'
import { countText, parameterLabel, valueText } from '../runs/run-text.ts'
import { shareText } from '../stage/captions.ts'

export interface Fact {
  name: string
  value: string
}

/** "41" or "4.2": as many digits as say something. */
export function rateText(perSecond: number): string {
  return perSecond >= 10 ? countText(Math.round(perSecond)) : perSecond.toFixed(perSecond >= 1 ? 1 : 2)
}

/** "5 s", "3 min 20 s", "1 h 5 min" */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return seconds < 9.95 && seconds > 0 ? `${seconds.toFixed(1)} s` : `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** "385 fwd + bwd", "385 fwd, 120 bwd" */
export function evaluationsText({ forward, backward }: Evaluations): string {
  if (backward === 0) return `${countText(forward)} fwd`
  return forward === backward ? `${countText(forward)} fwd + bwd` : `${countText(forward)} fwd, ${countText(backward)} bwd`
}

/** What is measured of a run, while it goes on and afterwards. */
export function measured(row: RunRow, area: number | null, evaluations: Evaluations | null): Fact[] {
  const facts: Fact[] = []
  const { original, masked } = row.probability
  if (area !== null) facts.push({ name: row.deletes ? 'Area deleted' : 'Area kept', value: shareText(area) })
  if (original !== null && masked !== null) facts.push({ name: `p original → ${row.deletes ? 'deleted' : 'masked'}`, value: `${shareText(original)} → ${shareText(masked)}` })
  const { seconds, iteration, iterations, state } = row
  if (seconds !== null && seconds > 0 && iteration > 0) {
    if (iterations !== 1) facts.push({ name: 'Steps per second', value: rateText(iteration / seconds) })
    if (state === 'running' && iterations !== null) {
      facts.push({ name: 'Time left', value: iterations > iteration ? durationText(((iterations - iteration) * seconds) / iteration) : 'almost done' })
    } else facts.push({ name: 'Time', value: durationText(seconds) })
  }
  if (evaluations) facts.push({ name: 'Evaluations', value: evaluationsText(evaluations) })
  return facts
}

/** Parameters that were changed on the way: "from 120", "Area 0.2, Smoothness 1". */
export function changeLines(row: Pick<RunRow, 'changes'>, method: MethodInfo | null): { from: string; what: string }[] {
  return row.changes.map(({ iteration, parameters }) => ({
    from: `from ${countText(iteration)}`,
    what: Object.entries(parameters).map(([name, value]) => `${parameterLabel(method, name)} ${valueText(method, name, value)}`).join(', '),
  }))
}

/** What stands beside the result at once, in this order; the rest is one click away. */
const short: readonly { title: string; parts: readonly (readonly [group: string, name: string])[] }[] = [
  { title: 'Score', parts: [['Method', 'Score']] },
  { title: 'Fill in force', parts: [['Method', 'Fill']] },
  { title: 'Seed', parts: [['Method', 'Seed']] },
  { title: 'Computed by', parts: [['Computed by', 'Executor'], ['Computed by', 'Backend']] },
  { title: 'Model SHA-256', parts: [['Model', 'SHA-256']] },
]

export function shortProvenance(detail: Pick<RunDetail, 'provenance'>): Fact[] {
  return short.flatMap(({ title, parts }) => {
    const found = parts.flatMap(([group, name]) => detail.provenance.find((entry) => entry.group === group && entry.name === name)?.value ?? [])
    return found.length > 0 ? [{ name: title, value: found.map(abbreviate).join(' on ') }] : []
  })
}

/** A digest is known by its ends. */
function abbreviate(value: string): string {
  return value.replace(/\b([0-9a-f]{6})[0-9a-f]{50,}([0-9a-f]{4})\b/, '$1…$2')
}

export function groupedProvenance(detail: Pick<RunDetail, 'provenance'>): { group: string; entries: Fact[] }[] {
  const groups = new Map<string, Fact[]>()
  for (const { group, name, value } of detail.provenance) groups.set(group, [...(groups.get(group) ?? []), { name, value }])
  return [...groups].map(([group, entries]) => ({ group, entries }))
}
