import { Command, CommanderError } from 'commander'
import { programVersion } from '#services/program.ts'
import { exitCodeOf, reportError } from './errors.ts'

/**
 * The command line. Declares the commands; each loads what it needs when it runs, so that --help is quick.
 * @returns the exit code: 0 done, 1 a run failed, 2 bad usage or input, 130 interrupted.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('maskscope')
    .description('Explains image classifiers with optimised masks.')
    .version(programVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .exitOverride()
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Commander has already printed its own message, or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    reportError(error)
    exitCode = exitCodeOf(error)
  }
  return exitCode
}
