import { Command } from 'commander'
import type { Metric } from '#engine/metrics/metric.ts'
import { print, printJson } from './context.ts'
import { describeParameter } from './methods.ts'

const direction = { higher: 'higher is better', lower: 'lower is better', neither: 'neither end is better' } as const
const costs: Readonly<Record<Metric['cost'], string>> = { map: 'from the map alone', queries: 'asks the classifier', dear: 'runs the method again' }
const wants: Readonly<Record<Metric['needs'][number], string>> = {
  object: 'the true object', mosaic: 'a mosaic', others: 'maps of other methods', graph: "the model's layers",
}

export function metricsCommand(): Command {
  return new Command('metrics')
    .description('List the metrics with what they measure, their direction, their source and what they need.')
    .option('--json', 'print one JSON document and nothing else; limits that are infinite are null', false)
    .action(async ({ json }: { json: boolean }) => {
      const { metrics } = await import('#engine/metrics/registry.ts')
      if (json) {
        return printJson({
          metrics: metrics.map(({ id, title, definition, citation, better, range, cost, needs, presets, parameters }) => (
            { id, title, definition, citation, better, range: range.map((limit) => (Number.isFinite(limit) ? limit : null)), cost, needs, presets, parameters }
          )),
        })
      }
      for (const { id, title, definition, citation, better, cost, needs, presets, parameters } of metrics) {
        const needed = needs.length === 0 ? '' : `; needs ${needs.map((need) => wants[need]).join(' and ')}`
        print(`${id}: ${title} (${direction[better ?? 'neither']}; ${costs[cost]}${needed})\n  ${definition}\n  ${citation}`)
        if (presets.length > 0) print(`\n  Presets: the first is the metric itself, the others are asked for as ${id}@PRESET:`)
        for (const preset of presets) print(`    ${preset.id.padEnd(18)}${preset.source}${preset.cost === 'dear' && cost !== 'dear' ? ' Runs the method again.' : ''}`)
        if (parameters.length > 0) print('\n  Parameters:')
        for (const parameter of parameters) print(describeParameter(parameter, presets[0]?.values[parameter.name] ?? parameter.default))
        print('')
      }
    })
}
