import { targetName } from '../caption.ts'
import type { FigureRun } from '../figure-data.ts'
import { probabilityText } from '../numbers.ts'
import type { Span } from '../text.ts'

/** Method names of several runs, with what tells those of one method apart. */
export function methodLabels(runs: readonly FigureRun[]): Map<string, string> {
  const labels = new Map<string, string>()
  for (const run of runs) {
    const fellows = runs.filter((other) => other.method.id === run.method.id)
    const told = ([...new Set(fellows.map(variantOf))].length > 1 ? ownSettings(run, fellows) : []).join(', ')
    labels.set(run.id, told === '' ? run.method.title : `${run.method.title}, ${told}`)
  }
  return labels
}

/** Runs of one label are repetitions: they differ in their images at most. */
function variantOf({ settings, seed, model }: FigureRun): string {
  return JSON.stringify([settings, seed, model.key])
}

/** At most two settings that not all fellows have; the seed or the model where nothing else differs. */
function ownSettings(run: FigureRun, fellows: readonly FigureRun[]): string[] {
  const own = run.settings.filter((setting) => fellows.some((other) => !other.settings.includes(setting)))
  if (own.length > 0) return own.slice(0, 2)
  if (fellows.some((other) => JSON.stringify(other.settings) !== JSON.stringify(run.settings))) return ['preset as it is']
  if (fellows.some((other) => other.seed !== run.seed)) return [`seed ${run.seed}`]
  return [run.model.name]
}

/** "zebra" and "p = .88", as far as they are wanted. */
export function classLines(run: FigureRun, { classes, probabilities }: { classes: boolean; probabilities: boolean }): Span[][] {
  return [
    ...(classes ? [[{ text: targetName(run) }]] : []),
    ...(probabilities && run.probability.original !== null ? [equation('p', run.probability.original)] : []),
  ]
}

export function equation(symbol: string, p: number): Span[] {
  return [{ text: symbol, style: 'italic' }, { text: `\u00a0=\u00a0${probabilityText(p)}` }]
}
