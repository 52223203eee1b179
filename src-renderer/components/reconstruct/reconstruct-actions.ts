import { call, useHost } from '../../rpc.ts'
import { useCommands, type Command } from '../../stores/commands.ts'
import { useNotices } from '../../stores/notices.ts'
import { canResume, isLive, reconstructTabs, useReconstructions, type ReconstructTab } from '../../stores/reconstruction.ts'
import { useReconstructionOrder } from '../../stores/reconstruction-order.ts'
import { useSession } from '../../stores/session.ts'
import { useVariations } from '../../stores/variations.ts'
import { copyLine } from '../ui/copy-line.ts'

export const tabTitles: Readonly<Record<ReconstructTab, string>> = { training: 'Training', variations: 'Variations', classes: 'Classes', report: 'Report' }

/** The line that makes the reconstruction that would be started. */
export async function copyOrderCommand(): Promise<void> {
  const order = useReconstructionOrder().asOrder
  if (order) await copyLine(() => call('reconstructions.commandFor', order))
}

/** The line that makes a reconstruction of the study again. */
export const copyReconstructionCommand = (reconstruction: string): Promise<void> => copyLine(() => call('reconstructions.command', { reconstruction }))

/** The line that samples the variations on the stage. */
export async function copyVaryCommand(): Promise<void> {
  const order = useVariations().asOrder
  if (order) await copyLine(() => call('reconstructions.varyCommand', order))
}

/** The generator as a zip file of standard TF.js models. */
export async function exportGenerator(reconstruction: string): Promise<void> {
  const notices = useNotices()
  try {
    if (useSession().hello?.nativeDialogs) {
      const { file } = await call('reconstructions.saveExport', { reconstruction })
      if (file !== null) notices.say(`Generator saved: ${file}`)
      return
    }
    const { name, bytes } = await call('reconstructions.export', { reconstruction })
    useHost().download(name, bytes, 'application/zip')
    notices.say(`Generator saved to your downloads: ${name}`)
  } catch (error) {
    notices.fail(error)
  }
}

/** The commands of the Reconstruct view. @returns what takes them away */
export function registerReconstructCommands(): () => void {
  const store = useReconstructions()
  const order = useReconstructionOrder()
  const variations = useVariations()
  const chosen = (): string => store.current!.reconstruction
  const none = (): string => 'Choose a reconstruction in the list below.'
  const untrained = (): string => 'There is no trained generator yet.'
  const onStage = (): boolean => store.tab === 'variations' && variations.name !== null
  const commands: Command[] = [
    { id: 'reconstruct', title: 'Reconstruct: make the salient inputs, train and report', group: 'Run', keys: ['Mod+Enter'], enabled: () => order.hindrance === null, why: () => order.hindrance, run: () => order.start() },
    {
      id: 'reconstruct-pause', title: 'Pause or resume the reconstruction', group: 'Run', keys: ['Space'], onStage: true,
      enabled: () => store.current !== null && (store.current.state === 'running' || canResume(store.current)), why: none,
      run: () => (store.current!.state === 'running' ? store.pause(chosen()) : store.resume(chosen())),
    },
    { id: 'reconstruct-cancel', title: 'Cancel the reconstruction', group: 'Run', keys: ['Mod+.'], enabled: () => store.current !== null && isLive(store.current), why: none, run: () => store.cancel(chosen()) },
    { id: 'reconstruct-command', title: 'Copy the reconstruction as command', group: 'Run', keys: ['Mod+Shift+C'], enabled: () => store.current !== null, why: none, run: () => copyReconstructionCommand(chosen()) },
    { id: 'reconstruct-export', title: 'Export the generator', group: 'File', enabled: () => variations.name !== null, why: untrained, run: () => exportGenerator(chosen()) },
    { id: 'reconstruct-delete', title: 'Delete the reconstruction', group: 'Edit', enabled: () => store.current !== null, why: none, run: () => store.remove(chosen()) },
    { id: 'reconstruct-demo', title: 'Reconstruct the demo: scenes with the bundled classifiers', group: 'Run', enabled: () => !order.starting, run: () => order.startDemo() },
    { id: 'variations-draw', title: 'Draw other variations', group: 'Stage', keys: ['R'], onStage: true, enabled: onStage, why: untrained, run: () => variations.drawAnew() },
    { id: 'variations-next', title: 'Next image', group: 'Stage', keys: ['ArrowRight'], onStage: true, enabled: onStage, why: untrained, run: () => variations.step(1) },
    { id: 'variations-previous', title: 'Previous image', group: 'Stage', keys: ['ArrowLeft'], onStage: true, enabled: onStage, why: untrained, run: () => variations.step(-1) },
    { id: 'variations-pin', title: 'Pin the salient pixels, or let them vary', group: 'Stage', keys: ['P'], onStage: true, enabled: onStage, why: untrained, run: () => void (variations.pinned = !variations.pinned) },
    { id: 'variations-command', title: 'Copy the variations as command', group: 'Stage', enabled: onStage, why: untrained, run: copyVaryCommand },
    ...reconstructTabs.map((tab, i): Command => ({
      id: `reconstruct-${tab}`, title: `Reconstruct: ${tabTitles[tab].toLowerCase()}`, group: 'View', keys: [String(i + 1)], onStage: true, run: () => void (store.tab = tab),
    })),
  ]
  return useCommands().register(commands, 'reconstruct')
}
