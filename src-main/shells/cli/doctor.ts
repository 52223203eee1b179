import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { executorNames, type Diagnosis } from '#shared/domain/executor.ts'
import { programVersion } from '#services/program.ts'
import { print, printJson, type Context } from './context.ts'

interface Machine {
  maskscope: string
  node: string
  platform: string
  cores: number
}

export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .description('Tell what this machine offers to compute on, how fast it is and what is chosen.')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async ({ json }: { json: boolean }) => {
      const { createWorkbench } = await import('#main/workbench.ts')
      const workbench = createWorkbench({ jobs: 1 })
      try {
        const diagnosis = await workbench.pool.diagnose()
        const machine = { maskscope: programVersion(), node: process.versions.node, platform: `${process.platform} ${process.arch}`, cores: availableParallelism() }
        if (json) printJson({ ...machine, ...diagnosis })
        else print(describe(machine, diagnosis))
        context.exitCode = diagnosis.backends.some((b) => b.chosen) ? 0 : 1
      } finally {
        await workbench.dispose()
      }
    })
}

function describe(machine: Machine, { backends, executors, rule }: Diagnosis): string {
  const speed = (gflops: number): string => `${gflops.toPrecision(3)} GFLOP/s`
  const backendLines = backends.map(({ id, available, chosen, reason, device, convolutionGflops }) => {
    const measured = convolutionGflops === null ? '' : `  ${speed(convolutionGflops)} in a 3×3 convolution`
    return line({ id, available, chosen, reason, rest: `${device === null ? '' : `  ${device}`}${measured}` })
  })
  const executorLines = executors.map(({ id, available, chosen, reason, version, convolutionGflops, threads }) => {
    const name = available ? `  ${executorNames[id]}${version === null ? '' : ` ${version}`}` : ''
    const all = threads > 1 && convolutionGflops ? `, ${speed(convolutionGflops.allThreads)} with ${threads} threads` : ''
    const measured = convolutionGflops === null ? '' : `  ${speed(convolutionGflops.oneThread)} in a 3×3 convolution${threads > 1 ? ' with 1 thread' : ''}${all}`
    return line({ id, available, chosen, reason, rest: `${name}${measured}` })
  })
  return [
    `Maskscope ${machine.maskscope}, Node ${machine.node}, ${machine.platform}, ${machine.cores} cores`,
    'Backends of TensorFlow.js, the chosen one marked *:', ...backendLines,
    'Executors, which run models, the usual one here marked *:', ...executorLines,
    rule,
  ].join('\n')
}

function line({ id, available, chosen, reason, rest }: { id: string; available: boolean; chosen: boolean; reason: string; rest: string }): string {
  return `${chosen ? '*' : ' '} ${id.padEnd(12)}${available ? 'available' : 'not available'}${rest}\n               ${reason}`
}
