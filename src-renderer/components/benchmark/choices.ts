import type { BenchmarkPlan } from '#shared/contract/benchmark.ts'
import type { MetricInfo } from '#shared/contract/metrics.ts'
import type { MethodInfo } from '#shared/contract/models.ts'
import type { Family } from '#shared/domain/method.ts'
import type { Choice } from './ChoiceList.vue'

const families: Readonly<Record<Family, string>> = {
  mask: 'mask', gradient: 'gradient', activation: 'activation map', perturbation: 'perturbation', combination: 'combination', control: '',
}
const accesses = ['From outputs alone', 'With gradients', 'Controls'] as const

/** Every method by what it asks of a model, and those of the configurations behind the method they belong to. */
export function methodChoices(methods: readonly MethodInfo[], plan: Pick<BenchmarkPlan, 'methods'> | null): Choice[] {
  const configured = Object.keys(plan?.methods ?? {}).filter((name) => name.includes('@'))
  const choices = methods.flatMap((method): Choice[] => {
    const group = method.family === 'control' ? accesses[2] : method.access === 'query' ? accesses[0] : accesses[1]
    const names = [method.id, ...configured.filter((name) => name.startsWith(`${method.id}@`))]
    return names.map((name) => ({
      value: name, group, reason: plan?.methods[name] ?? null,
      label: name === method.id ? method.title : `${method.title} @ ${name.slice(method.id.length + 1)}`, note: name === method.id ? families[method.family] : 'configuration',
    }))
  })
  return accesses.flatMap((group) => choices.filter((choice) => choice.group === group))
}

const kinds = ['Against the true object', 'By asking the classifier', 'Of the map alone', 'Run the method again', 'As others define them'] as const

/** By what they ask. */
export function metricChoices(metrics: readonly MetricInfo[], plan: Pick<BenchmarkPlan, 'metrics'> | null): Choice[] {
  const choices = metrics.map((metric): Choice => ({
    value: metric.id, label: metric.title, note: metric.better === null ? '' : metric.better === 'higher' ? 'higher is better' : 'lower is better', reason: plan?.metrics[metric.id] ?? null,
    extra: metric.variantOf !== null,
    group: metric.cost === 'dear' ? kinds[3] : metric.variantOf !== null ? kinds[4] : metric.needs.includes('object') || metric.needs.includes('mosaic') ? kinds[0] : metric.cost === 'queries' ? kinds[1] : kinds[2],
  }))
  return kinds.flatMap((group) => choices.filter((choice) => choice.group === group))
}

/** What `cheap` means on the command line: all that do not run a method again. */
export function cheapMetrics(metrics: readonly MetricInfo[]): string[] {
  return metrics.filter(({ cost, variantOf }) => cost !== 'dear' && variantOf === null).map(({ id }) => id)
}
