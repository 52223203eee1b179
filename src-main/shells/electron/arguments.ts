import path from 'node:path'

/** What a start of the program asks for. */
export interface Start {
  /** Absolute: studies, images and models to open. */
  files: string[]
  /** The folder of the studies, where it is not the usual one; absolute. */
  studies: string | null
  /** Developer tools, also in a packaged program. */
  devTools: boolean
}

/**
 * Reads a command line. Switches that are not ours belong to Chromium and are passed over.
 * @param argv as `process.argv`
 * @param appPath the program's own folder: where Electron is started by hand it is an argument like any other
 */
export function readArguments(argv: readonly string[], workingFolder: string, appPath: string): Start {
  const start: Start = { files: [], studies: null, devTools: false }
  const rest = argv.slice(1)
  for (let i = 0; i < rest.length; i++) {
    const argument = rest[i] as string
    if (argument === '--devtools') start.devTools = true
    else if (argument === '--studies') start.studies = path.resolve(workingFolder, rest[++i] ?? '.')
    else if (argument.startsWith('--studies=')) start.studies = path.resolve(workingFolder, argument.slice('--studies='.length))
    else if (!argument.startsWith('-') && !isOwn(path.resolve(workingFolder, argument), appPath)) start.files.push(path.resolve(workingFolder, argument))
  }
  return start
}

/** Switches that let another program steer the window; a packaged one is started without them. */
export const debuggingSwitches = ['remote-debugging-port', 'remote-debugging-pipe', 'remote-debugging-address', 'remote-allow-origins'] as const

function isOwn(file: string, appPath: string): boolean {
  return file === path.resolve(appPath) || file === path.resolve(appPath, 'out', 'main', 'index.js')
}
