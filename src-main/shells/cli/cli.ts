import { Command, CommanderError } from 'commander'
import { programVersion } from '#services/program.ts'
import type { Context } from './context.ts'
import { benchmarkCommand } from './benchmark.ts'
import { compareCommand } from './compare.ts'
import { datasetsCommand } from './datasets.ts'
import { doctorCommand } from './doctor.ts'
import { exitCodeOf, reportError } from './errors.ts'
import { explainCommand } from './explain.ts'
import { figureCommand } from './figure.ts'
import { inspectCommand } from './inspect.ts'
import { methodsCommand } from './methods.ts'
import { metricsCommand } from './metrics.ts'
import { reconstructCommand } from './reconstruct.ts'
import { rerunCommand } from './rerun.ts'
import { tuneCommand } from './tune.ts'
import { varyCommand } from './vary.ts'

/**
 * The command line. Declares the commands; each loads what it needs when it runs, so that --help is quick.
 * @returns the exit code: 0 done, 1 a run failed, 2 bad usage or input, 130 interrupted.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const context: Context = { exitCode: 0 }
  const program = new Command('maskscope')
    .description('Explains image classifiers with optimised masks.')
    .version(programVersion(), '--version', 'print the version')
  for (const command of [explainCommand(context), rerunCommand(context), compareCommand(context), figureCommand(), methodsCommand(), metricsCommand(), datasetsCommand(), benchmarkCommand(context), tuneCommand(context), reconstructCommand(context), varyCommand(context), inspectCommand(context), doctorCommand(context)]) {
    program.addCommand(command)
  }
  for (const command of [program, ...program.commands]) {
    command.helpOption('--help', 'print this help').exitOverride().showHelpAfterError('(see --help)')
  }
  program.addHelpText('after', '\nExit codes: 0 done, 1 a run failed, 2 bad usage or input, 130 interrupted.\nExample: maskscope explain scene:2000007 --model demo')
  try {
    await program.parseAsync(args, { from: 'user' })
    return context.exitCode
  } catch (error) {
    // Commander has already printed its own message, or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    reportError(error)
    return exitCodeOf(error)
  }
}
