import { Command } from 'commander'
import type { Parameter } from '#shared/domain/parameters.ts'
import { print, printJson } from './context.ts'

export function methodsCommand(): Command {
  return new Command('methods')
    .description('List the methods with their presets and parameters.')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async ({ json }: { json: boolean }) => {
      const { methods } = await import('#engine/methods/registry.ts')
      const described = methods.map(({ id, title, citation, access, family, needs = [], presets, parameters }) => ({ id, title, citation, access, family, needs, presets, parameters }))
      if (json) return printJson({ methods: described })
      for (const { id, title, citation, access, needs, presets, parameters } of described) {
        const wants = [access === 'gradient' ? 'gradients' : 'outputs only', ...needs.map((need) => (need === 'layers' ? 'layers' : 'the true object'))]
        print(`${id}: ${title} (needs ${wants.join(', ')})\n  ${citation}\n\n  Presets, the first is the default (--set preset=ID):`)
        for (const preset of presets) print(`    ${preset.id.padEnd(18)}${preset.source}`)
        print('\n  Parameters (--set NAME=VALUE), with the first preset\'s values:')
        for (const parameter of parameters) print(describeParameter(parameter, presets[0]?.values[parameter.name] ?? parameter.default))
      }
    })
}

/** One parameter as two lines: name, value and limits, then its help. */
export function describeParameter(parameter: Parameter, value: unknown): string {
  const limits = parameter.type === 'number' ? `${parameter.min} to ${parameter.max}${parameter.unit === undefined ? '' : ` ${parameter.unit}`}`
    : parameter.type === 'choice' ? parameter.options.map((o) => o.value).join(', ') : parameter.type === 'text' ? (parameter.kind === 'layer' ? 'auto, or a layer that "maskscope inspect" names' : 'ids with commas between them') : 'true, false'
  const symbol = parameter.symbol === undefined ? '' : ` ${parameter.symbol}`
  return `    ${`${parameter.name}${symbol}`.padEnd(24)}${String(value).padEnd(10)} [${limits}]\n      ${parameter.help}`
}
