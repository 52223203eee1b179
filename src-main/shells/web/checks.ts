import { accessSync, constants, existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { WebStart } from './arguments.ts'

/** What would fail later, said before anything starts. @throws MaskscopeError 'usage', or 'storage' for the folder of the studies */
export function checkStart({ studies, roots }: WebStart, page: string): void {
  if (!existsSync(path.join(page, 'index.html'))) {
    throw new MaskscopeError('storage', `The window is not built: ${page} holds no index.html. Run "npm run build" in Maskscope's folder first.`, { subject: page })
  }
  for (const root of roots) {
    if (!isFolder(root)) throw new MaskscopeError('usage', `--root ${root} is no folder. Give one that exists.`, { subject: '--root' })
  }
  const standing = nearest(studies)
  if (!isFolder(standing)) throw new MaskscopeError('storage', `Studies cannot be kept in ${studies}: ${standing} is a file. Choose another folder with --studies.`, { subject: studies })
  try {
    accessSync(standing, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new MaskscopeError('storage', `Studies cannot be kept in ${studies}: ${standing} may not be written. Choose another folder with --studies.`, { subject: studies, cause })
  }
}

/** An error of listening in a person's words. */
export function listenError(error: unknown, port: number): MaskscopeError {
  const { code, message } = error as NodeJS.ErrnoException
  const options = { subject: '--port', cause: error }
  if (code === 'EADDRINUSE') return new MaskscopeError('unavailable', `Port ${port} is in use by another program. Choose another with --port, or leave --port out for any free one.`, options)
  if (code === 'EACCES') return new MaskscopeError('unavailable', `Port ${port} may not be used without more rights. Choose one above 1023 with --port, or leave --port out.`, options)
  return new MaskscopeError('unavailable', `Maskscope could not listen on 127.0.0.1: ${message}.`, options)
}

function isFolder(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true
}

/** The place itself or the first above it that exists. */
function nearest(place: string): string {
  return existsSync(place) || place === path.dirname(place) ? place : nearest(path.dirname(place))
}
