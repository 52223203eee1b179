import { availableParallelism } from 'node:os'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import { browse } from '#services/browse.ts'
import { programVersion } from '#services/program.ts'
import type { RecentKind } from '#services/settings.ts'
import type { CallsOf, Parts, StreamsOf } from './parts.ts'

export function systemCalls({ host, pool, handles, settings, log }: Parts): CallsOf<'system' | 'settings' | 'files'> {
  /** What was opened before and is still there. */
  async function recent(kind: RecentKind): Promise<FileEntry[]> {
    const entries = await Promise.all(settings.recent(kind).map((file) => handles.give(file).catch(() => null)))
    return entries.filter((entry) => entry !== null)
  }

  return {
    'system.hello': () => ({
      version: programVersion(), shell: host.shell, platform: `${process.platform} ${process.arch}`, nativeDialogs: host.dialogs !== null,
    }),
    'system.backend': async () => {
      const { id, device, rejected } = await pool.backend()
      return { id, device, rejected: rejected.map((other) => ({ ...other })), workers: await pool.capacity(), threads: availableParallelism() }
    },
    'system.diagnose': () => pool.diagnose(),
    'system.report': ({ message, stack }) => {
      log(stack === undefined ? message : `${message}\n${stack}`)
      return {}
    },
    'settings.get': () => settings.get(),
    'settings.change': (part) => settings.change(part),
    'files.choose': async ({ purpose }) => {
      if (!host.dialogs) throw new MaskscopeError('unavailable', 'This shell has no dialogs of its own; choose the file in the window.')
      const files = await host.dialogs.open(purpose)
      return Promise.all(files.map((file) => handles.give(file)))
    },
    'files.browse': ({ folder }) => {
      if (host.dialogs) throw new MaskscopeError('unavailable', 'Files are chosen in the desktop\'s own dialogs here.')
      return browse(handles, host.roots, folder === null ? null : handles.path(folder))
    },
    'files.recent': async () => {
      const [models, images, studies] = await Promise.all([recent('models'), recent('images'), recent('studies')])
      return { models, images, studies }
    },
  }
}

export function systemStreams({ host, notices }: Parts): StreamsOf<'shell'> {
  return {
    'shell.watch': (_, emit, { signal }) => {
      const endHost = host.subscribe((event) => emit(event))
      const endNotices = notices.subscribe((notice) => emit({ type: 'notice', ...notice }))
      signal.addEventListener('abort', () => {
        endHost()
        endNotices()
      }, { once: true })
    },
  }
}
