import { nextTick, watch } from 'vue'
import { call } from '../../rpc.ts'
import { liveStates, useRuns, type Reopened } from '../../stores/runs.ts'
import { useCommands, type Command } from '../../stores/commands.ts'
import { useDialogs } from '../../stores/dialogs.ts'
import { useImages } from '../../stores/images.ts'
import { useModels } from '../../stores/models.ts'
import { useNotices } from '../../stores/notices.ts'
import { useOrder } from '../../stores/order.ts'
import { copyLine } from '../ui/copy-line.ts'

/** Queues the next run and looks at it. */
export async function startRun(): Promise<void> {
  const run = await useOrder().submit()
  if (run !== null) useRuns().select(run)
}

/** Of the selected run. */
export async function pauseOrResume(): Promise<void> {
  const runs = useRuns()
  const row = runs.current
  if (row?.state === 'paused') await runs.resume(row.run)
  else if (row?.state === 'running') await runs.pause(row.run)
}

/** Opens what a run was made of and sets the next run to the same, to be changed. */
export async function runAgain(run: string): Promise<void> {
  await useOrder().expect(async () => {
    const opened = await useRuns().reopen(run)
    if (!opened) return
    if (opened.message !== null) useNotices().fail(new Error(opened.message))
    await adopt(run, opened)
  })
}

/**
 * With nothing open, the run that is looked at brings its model and image along: a window that is loaded anew goes on
 * where it was. What cannot be opened any more is left out; the run itself is shown all the same.
 */
export function followSelectedRun(): void {
  const runs = useRuns()
  const models = useModels()
  const images = useImages()
  const nothingOpen = (): boolean => models.current === null && models.incomplete === null && !models.opening && images.current === null && !images.opening
  watch(() => runs.selected, async (run) => {
    if (run === null || !nothingOpen()) return
    await useOrder().expect(async () => {
      const opened = await call('runs.reopen', { run }).catch(() => null)
      // The person may have opened or chosen something meanwhile.
      if (opened && nothingOpen() && runs.selected === run) await adopt(run, opened)
    })
  })
}

async function adopt(run: string, opened: Reopened): Promise<void> {
  const runs = useRuns()
  const row = runs.rows.get(run)
  if (!row) return
  if (opened.model) useModels().adopt(opened.model)
  useImages().adopt([opened.image])
  runs.select(run)
  // Another model resets the target; the run's own comes after that.
  await nextTick()
  useOrder().adopt({ method: row.method, parameters: row.parameters, seed: row.seed, target: row.target?.index ?? 'auto' })
}

/** The selected run's line; before there is one, that of the next run. */
export async function copyCommand(run: string | null): Promise<void> {
  const order = useOrder().asOrder
  if (run !== null) await copyLine(() => call('runs.command', { run }))
  else if (order) await copyLine(() => call('runs.commandFor', order))
}

/** The commands of runs and of printing. @returns what takes them away */
export function registerRunCommands(): () => void {
  const runs = useRuns()
  const order = useOrder()
  const dialogs = useDialogs()
  const commands: Command[] = [
    { id: 'run', title: 'Run', group: 'Run', keys: ['Mod+Enter'], enabled: () => order.hindrance === null && !order.awaited, why: () => order.hindrance, run: startRun },
    {
      id: 'pause', title: 'Pause or resume', group: 'Run', keys: ['Space'], onStage: true,
      enabled: () => runs.current?.state === 'running' || runs.current?.state === 'paused', run: pauseOrResume,
    },
    {
      id: 'cancel', title: 'Cancel', group: 'Run', keys: ['Mod+.'],
      enabled: () => runs.current !== null && liveStates.includes(runs.current.state), run: () => runs.cancel(runs.current!.run),
    },
    { id: 'run-again', title: 'Run again with changes', group: 'Run', enabled: () => runs.current !== null, run: () => runAgain(runs.current!.run) },
    {
      id: 'copy-command', title: 'Copy as command', group: 'Run', keys: ['Mod+Shift+C'],
      enabled: () => runs.selected !== null || order.asOrder !== null, run: () => copyCommand(runs.selected),
    },
    {
      id: 'export', title: 'Export the figure', group: 'File', keys: ['Mod+E'],
      enabled: () => runs.current?.state === 'finished', why: () => 'Choose a run that has finished.', run: () => dialogs.show('export'),
    },
  ]
  return useCommands().register(commands, 'explain')
}
