import { MaskscopeError } from '#shared/domain/errors.ts'
import type { WindowReconstructions } from '#services/reconstruction/window.ts'
import { watchReconstructions } from '#services/reconstruction/window-watch.ts'
import type { ReconstructionEvent, ReconstructionRow } from '#shared/contract/reconstruction.ts'
import type { CallsOf, Parts, StreamsOf } from './parts.ts'

/** What the handlers answer from. */
export interface ReconstructionParts extends Pick<Parts, 'host' | 'keeper'> {
  reconstructions: WindowReconstructions
}

export function reconstructionCalls({ host, reconstructions: window }: ReconstructionParts): CallsOf<'reconstructions'> {
  return {
    'reconstructions.settings': ({ model }) => window.settings(model),
    'reconstructions.data': ({ data, model }) => window.describe(data, model),
    'reconstructions.kindOf': ({ place }) => window.kindOf(place),
    'reconstructions.start': async (order) => ({ reconstruction: await window.start(order) }),
    'reconstructions.pause': async ({ reconstruction }) => {
      (await window.board(reconstruction)).service.pause(reconstruction)
      return {}
    },
    'reconstructions.resume': async ({ reconstruction }) => {
      await (await window.board(reconstruction)).service.resume(reconstruction)
      return {}
    },
    'reconstructions.cancel': async ({ reconstruction }) => {
      (await window.board(reconstruction)).service.cancel(reconstruction)
      return {}
    },
    'reconstructions.read': ({ reconstruction }) => window.read(reconstruction),
    'reconstructions.samples': ({ reconstruction, epoch }) => window.samples(reconstruction, epoch),
    'reconstructions.images': ({ reconstruction, first, count }) => window.images(reconstruction, first, count),
    'reconstructions.vary': (order, { signal }) => window.vary(order, signal),
    'reconstructions.classView': (order, { signal }) => window.classView(order, signal),
    'reconstructions.keep': (order, { signal }) => window.keep(order, signal),
    'reconstructions.delete': async ({ reconstructions: ids }) => {
      await window.remove(ids)
      return {}
    },
    'reconstructions.restore': async ({ reconstructions: ids }) => {
      await window.restore(ids)
      return {}
    },
    'reconstructions.command': async ({ reconstruction }) => ({ command: await window.command(reconstruction) }),
    'reconstructions.commandFor': async (order) => ({ command: await window.commandFor(order) }),
    'reconstructions.varyCommand': async (order) => ({ command: await window.varyCommand(order) }),
    'reconstructions.export': ({ reconstruction }) => window.exported(reconstruction),
    'reconstructions.saveExport': async ({ reconstruction }) => {
      if (!host.dialogs) throw new MaskscopeError('unavailable', 'This shell has no dialogs of its own; the page downloads the generator.')
      const { name, bytes } = await window.exported(reconstruction)
      return { file: await host.dialogs.save(name, bytes) }
    },
  }
}

export function reconstructionStreams({ keeper, host, reconstructions }: ReconstructionParts): StreamsOf<'reconstructions'> {
  const told = host.told ?? ((text: string) => text)
  const tell = (row: ReconstructionRow): ReconstructionRow => (row.error ? { ...row, error: { ...row.error, message: told(row.error.message) } } : row)
  function plain(event: ReconstructionEvent): ReconstructionEvent {
    if (event.type === 'row') return { ...event, row: tell(event.row) }
    return event.type === 'snapshot' ? { ...event, rows: event.rows.map(tell) } : event
  }
  return {
    'reconstructions.watch': (_, emit, { signal }) => {
      const emitTold = Object.assign((event: ReconstructionEvent): void => emit(plain(event)), { latest: emit.latest })
      return watchReconstructions(keeper, reconstructions.boardOf, emitTold, signal)
    },
  }
}
