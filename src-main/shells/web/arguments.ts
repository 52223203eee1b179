import path from 'node:path'
import { parseArgs } from 'node:util'
import { backendIds, type BackendId } from '#shared/domain/backend.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'

export interface WebStart {
  /** 0: any that is free. */
  port: number
  /** Opens the default browser where there is a display. */
  open: boolean
  /** Absolute. */
  studies: string
  /** Absolute folders below which the page may look. */
  roots: string[]
  backend: BackendId | undefined
}

/** @param args as given after the program's name @throws MaskscopeError 'usage' */
export function readArguments(args: readonly string[], workingFolder: string): WebStart {
  const values = parse(args)
  const port = values.port === undefined ? 0 : Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new MaskscopeError('usage', `--port takes a number from 0 to 65535, not "${values.port}".`, { subject: '--port' })
  }
  const backend = backendIds.find((id) => id === values.backend)
  if (values.backend !== undefined && backend === undefined) {
    throw new MaskscopeError('usage', `--backend takes one of ${backendIds.join(', ')}, not "${values.backend}".`, { subject: '--backend' })
  }
  return {
    port, backend,
    open: values['no-open'] !== true,
    studies: path.resolve(workingFolder, values.studies ?? 'maskscope-studies'),
    roots: (values.root ?? ['.']).map((root) => path.resolve(workingFolder, root)),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        'no-open': { type: 'boolean' },
        studies: { type: 'string' },
        root: { type: 'string', multiple: true },
        backend: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new MaskscopeError('usage', `${(error as Error).message.replace(/\. To specify.*$/s, '')}. "npm start -- --help" lists what there is.`)
  }
}
