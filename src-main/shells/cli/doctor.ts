import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import type { BackendReport } from '#shared/domain/backend.ts'
import { programVersion } from '#services/program.ts'
import { print, printJson, type Context } from './context.ts'

export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .description('Tell which backends this machine offers, how fast they are and which is chosen.')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async ({ json }: { json: boolean }) => {
      const { createWorkbench } = await import('#main/workbench.ts')
      const workbench = createWorkbench({ jobs: 1 })
      try {
        const { backends, executors, rule } = await workbench.pool.diagnose()
        const machine = { maskscope: programVersion(), node: process.versions.node, platform: `${process.platform} ${process.arch}`, cores: availableParallelism() }
        if (json) printJson({ ...machine, backends })
        else print(describe(machine, backends))
        context.exitCode = backends.some((b) => b.chosen) ? 0 : 1
      } finally {
        await workbench.dispose()
      }
    })
}

function describe(machine: { maskscope: string; node: string; platform: string; cores: number }, backends: readonly BackendReport[]): string {
  const lines = backends.map(({ id, available, chosen, reason, device, convolutionGflops }) => {
    const mark = chosen ? '*' : ' '
    const state = available ? 'available' : 'not available'
    const speed = convolutionGflops === null ? '' : `  ${convolutionGflops.toPrecision(3)} GFLOP/s in a 3×3 convolution`
    return `${mark} ${id.padEnd(6)}${state}${device === null ? '' : `  ${device}`}${speed}\n         ${reason}`
  })
  return [
    `Maskscope ${machine.maskscope}, Node ${machine.node}, ${machine.platform}, ${machine.cores} cores`,
    'Backends, the chosen one marked *:', ...lines,
  ].join('\n')
}
