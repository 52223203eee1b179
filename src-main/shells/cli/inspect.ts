import { Command } from 'commander'
import { executorNames } from '#shared/domain/executor.ts'
import type { GraphReport, LayerInfo } from '#shared/domain/layers.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { print, printJson, type Context } from './context.ts'
import { backendOption, engineOptions, executorOption, statedModel, stateOptions, type EngineOptions, type StatedOptions } from './engine-options.ts'

interface InspectOptions extends StatedOptions, EngineOptions {
  json: boolean
}

export function inspectCommand(context: Context): Command {
  const command = new Command('inspect')
    .description('Tell what a model is: its layers with shapes, parameters, multiply-adds and receptive fields, and what runs it.')
    .argument('<model>', 'demo, an .onnx file, the model.json of a TF.js model, or the folder of either')
  return stateOptions(command)
    .addOption(backendOption())
    .addOption(executorOption())
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (model: string, options: InspectOptions) => {
      context.exitCode = await inspect(model, options)
    })
}

async function inspect(place: string, options: InspectOptions): Promise<number> {
  const [{ loadModel, modelError }, { createWorkbench }] = await Promise.all([import('#services/models.ts'), import('#main/workbench.ts')])
  const model = await loadModel(place, statedModel(options, (file) => file))
  const workbench = createWorkbench({ ...engineOptions(options), jobs: 1 })
  try {
    const info = await workbench.pool.info(model.source).catch((error: unknown) => {
      throw modelError(error, model)
    })
    const graph = await workbench.pool.describe(model.source)
    const notes = [...model.notes, ...info.notes]
    if (options.json) printJson({ model: { ...info, notes }, file: model.file, graph })
    else print(describe({ ...info, notes }, graph))
    return 0
  } finally {
    await workbench.dispose()
  }
}

function describe(info: ModelInfo, graph: GraphReport | null): string {
  const { name, format, input, classes, head, parameters, multiplyAdds, executor, notes, access } = info
  const work = multiplyAdds === null ? '' : `, ${counted(multiplyAdds)} multiply-adds`
  return [
    `${name}: ${format}, ${input.width}×${input.height}×${input.channels} to ${classes} classes (${head === 'none' ? 'no probabilities' : head})`,
    `${counted(parameters)} parameters${work}; ${access === 'gradient' ? 'outputs and gradients' : 'outputs only'}`,
    `Run by ${executorNames[executor.id]}${executor.version === null ? '' : ` ${executor.version}`}. ${executor.reason}`,
    ...notes,
    ...(graph === null ? ['Its layers are not known: it runs as it is.'] : ['', ...table(graph)]),
  ].join('\n')
}

const heading = ['layer', 'operation', 'output', 'parameters', 'multiply-adds', 'sees']

/** Columns as wide as they must be; layers that CAM methods can take are marked. */
function table({ layers, camLayer }: GraphReport): string[] {
  const rows = [heading, ...layers.map(rowOf)]
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const mark = (i: number): string => (i === 0 ? ' ' : layers[i - 1]!.name === camLayer ? '*' : layers[i - 1]!.cam ? '+' : ' ')
  const lines = rows.map((row, i) => `${mark(i)} ${row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ')}`.trimEnd())
  return [...lines, ...(camLayer === null ? [] : ['+ a layer that CAM methods can take, * the one they take unless told otherwise'])]
}

function rowOf({ name, operation, shape, parameters, multiplyAdds, receptiveField }: LayerInfo): string[] {
  const sees = receptiveField === null ? 'all' : receptiveField.size === 0 ? '' : `${receptiveField.size} px`
  return [name, operation, shape.join('×'), parameters === 0 ? '' : counted(parameters), multiplyAdds === 0 ? '' : counted(multiplyAdds), sees]
}

/** E.g. "11.7 M". */
function counted(value: number): string {
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]] as const) if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`
  return String(value)
}
