import { displayModes, sharings, type ComparisonRow } from '#shared/contract/comparison.ts'
import { call } from '../../rpc.ts'
import { useCommands, type Command } from '../../stores/commands.ts'
import { useComparison } from '../../stores/comparison.ts'
import { useComparisonLook } from '../../stores/comparison-look.ts'
import { useRuns } from '../../stores/runs.ts'
import { viewShown } from '../../stores/views.ts'
import { copyLine } from '../ui/copy-line.ts'
import { makeFigure } from './make-figure.ts'

const modeTitles = { map: 'the map', overlay: 'the overlay', masked: 'the masked input', contour: 'the contour', top: 'the top pixels' } as const

/** What the keys of the comparison do; the palette holds the same. @returns what takes them away */
export function registerCompareCommands(at: { grid(): { goTo(row: number, column: number): Promise<void> } | null; rows(): readonly ComparisonRow[] }): () => void {
  const comparison = useComparison()
  const look = useComparisonLook()
  const runs = useRuns()
  const here = { group: 'Stage', onStage: true } as const
  const current = () => (look.current ? comparison.contentOf(look.current.row, look.current.column) : null)
  const live = (): boolean => comparison.live.length > 0
  const chooseCell = (): string => 'Choose a cell first.'

  /** In the order in which the rows are shown, so that what is in sight comes first. */
  const cells = () => at.rows().flatMap((row) => comparison.board.columns.map((column) => ({ row, column })))
  const unmade = (): boolean => comparison.board.rows.length === 0 || comparison.board.columns.every((column) => column.kind === 'maps')
  const open = (): boolean => cells().some(({ row, column }) => column.kind === 'method' && comparison.contentOf(row, column).state !== 'finished')

  const commands: Command[] = [
    { id: 'compare-run', title: 'Run all cells that have no result', group: 'Run', keys: ['Mod+Enter'], enabled: open, why: () => 'Every cell has a result.', run: () => comparison.run(cells()) },
    { id: 'compare-cancel', title: 'Cancel all runs of the comparison', group: 'Run', keys: ['Mod+.'], enabled: live, why: () => 'Nothing runs.', run: () => comparison.steer('cancel') },
    {
      id: 'compare-pause', title: 'Pause or resume all runs of the comparison', group: 'Run', enabled: live, why: () => 'Nothing runs.',
      run: () => comparison.steer(comparison.live.every((run) => run.state === 'paused') ? 'resume' : 'pause'),
    },
    {
      ...here, group: 'Run', id: 'compare-pause-cell', title: 'Pause or resume the selected cell', keys: ['Space'],
      enabled: () => current()?.runs.some((run) => run?.state === 'running' || run?.state === 'paused') ?? false, why: () => 'The selected cell does not run.',
      run: () => {
        const going = (current()?.runs ?? []).filter((run) => run?.state === 'running' || run?.state === 'paused' || run?.state === 'queued').filter((run) => run !== null)
        return comparison.steer(going.every((run) => run.state === 'paused') ? 'resume' : 'pause', going)
      },
    },
    {
      ...here, group: 'Run', id: 'compare-again', title: 'Run the selected cell again', keys: ['R'], enabled: () => look.current?.column.kind === 'method', why: chooseCell,
      run: () => comparison.run([look.current!], true),
    },
    {
      ...here, group: 'Run', id: 'compare-cancel-cell', title: 'Cancel the selected cell', keys: ['Delete'], enabled: () => current()?.runs.some((run) => runs.live.some((one) => one.run === run?.run)) ?? false,
      why: () => 'The selected cell does not run.', run: () => comparison.steer('cancel', (current()?.runs ?? []).filter((run) => run !== null)),
    },
    ...displayModes.map((mode, i): Command => ({ ...here, id: `compare-mode-${mode}`, title: `Cells show ${modeTitles[mode]}`, keys: [String(i + 1)], run: () => comparison.look({ mode }) })),
    {
      ...here, id: 'compare-sharing', title: 'Next way of sharing the scale', keys: ['N'],
      run: () => comparison.look({ sharing: sharings[(sharings.indexOf(comparison.board.view.sharing) + 1) % sharings.length]! }),
    },
    { ...here, id: 'compare-mark', title: 'Mark the selected cell as the second', keys: ['M'], enabled: () => look.current !== null, why: chooseCell, run: () => void (look.other = look.other === look.selected ? null : look.selected) },
    { ...here, id: 'compare-blink', title: 'Blink between the selected cell and the second', enabled: () => look.beside !== null, why: () => 'Mark a second cell first.', run: () => void (look.blinked = !look.blinked) },
    { ...here, id: 'compare-star', title: 'Star the selected cell, or not', keys: ['S'], enabled: () => look.selected !== null, why: chooseCell, run: () => comparison.toggleStar(look.selected!) },
    { ...here, id: 'compare-fit', title: 'Fit the pictures into their cells', keys: ['0'], run: () => look.fit() },
    { ...here, id: 'compare-in', title: 'Zoom into all cells', keys: ['+', '='], run: () => void (look.zoom = Math.min(64, look.zoom * 1.25)) },
    { ...here, id: 'compare-out', title: 'Zoom out of all cells', keys: ['-'], run: () => void (look.zoom = Math.max(0.25, look.zoom * 0.8)) },
    ...([['Shift+ArrowLeft', -0.05, 'back'], ['Shift+ArrowRight', 0.05, 'on']] as const).map(([key, by, word]): Command => ({
      ...here, id: `compare-course-${word}`, title: `Course of all runs: ${word}`, keys: [key],
      run: () => comparison.look({ progress: Math.round(Math.min(1, Math.max(0, comparison.board.view.progress + by)) * 100) / 100 }),
    })),
    {
      ...here, id: 'compare-open', title: 'Open the selected cell in Explain', keys: ['Enter'], enabled: () => current()?.runs.some((run) => run !== null) ?? false, why: () => 'The selected cell was not run.',
      run: () => {
        const run = current()!.runs.find((one) => one !== null)!
        runs.select(run.run)
        viewShown.value = 'explain'
      },
    },
    {
      id: 'compare-command', title: 'Copy the comparison as command', group: 'Run', keys: ['Mod+Shift+C'], enabled: () => !unmade(), why: () => 'Add images and methods first.',
      run: async () => {
        await comparison.flush()
        await copyLine(async () => call('comparisons.command', { comparison: await comparison.ensured() }))
      },
    },
    { id: 'compare-delete', title: 'Delete the comparison', group: 'File', enabled: () => comparison.id !== null, why: () => 'Nothing of it is kept yet.', run: () => comparison.remove() },
    {
      id: 'compare-figure', title: 'Make a figure of the comparison', group: 'File', enabled: () => comparison.allCells.some(({ row, column }) => comparison.finishedRuns(row, column).length > 0),
      why: () => 'Run some cells first.', run: () => makeFigure(at.rows()),
    },
  ]
  return useCommands().register(commands, 'compare')
}

/** While B is held the selected cell shows the second. */
export function blinkKeys(): { down(event: KeyboardEvent): void; up(event: KeyboardEvent): void; stop(): void } {
  const look = useComparisonLook()
  const isB = (event: KeyboardEvent): boolean => event.key.toLowerCase() === 'b' && !event.ctrlKey && !event.metaKey && !event.altKey
  const takesText = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest('input, textarea, select, [role="dialog"], [role="combobox"]') !== null
  return {
    down(event) {
      if (isB(event) && !event.repeat && look.beside && !takesText(event.target)) look.blinked = true
    },
    up(event) {
      if (isB(event)) look.blinked = false
    },
    stop: () => void (look.blinked = false),
  }
}
