import { runCli } from './cli.ts'

// Who closes the pipe has read enough; any other failure means that the document did not get out whole.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.stderr.write(`maskscope: the output could not be written (${error.code ?? error.message})\n`)
  process.exitCode = 1
})

process.exitCode = (await runCli(process.argv.slice(2))) || process.exitCode || 0
