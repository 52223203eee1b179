import { normalisations } from '#shared/imaging/normalisation.ts'
import type { Command } from '../../stores/commands.ts'
import { useRuns } from '../../stores/runs.ts'
import { useSession } from '../../stores/session.ts'
import { useStage } from '../../stores/stage.ts'
import { pictureTitles, type PictureIndex } from './drawing.ts'
import { usePlayer } from './player.ts'

/** What the keys of the stage do; menus and the palette hold the same. */
export function stageCommands(pictures: { actualSize(): void; zoomBy(factor: number): void; fit(): void }): Command[] {
  const session = useSession()
  const stage = useStage()
  const runs = useRuns()
  const player = usePlayer()

  /** The last one that is shown stays. */
  function toggle(index: PictureIndex): void {
    const shown = [...session.settings.stage.shown] as [boolean, boolean, boolean, boolean]
    shown[index] = !shown[index]
    stage.single = null
    if (shown.some(Boolean)) session.changeStage({ shown })
  }

  const ids = ['stage-input', 'stage-mask', 'stage-overlay', 'stage-masked'] as const
  const onStage = { group: 'Stage', onStage: true } as const
  const hasFrames = (): boolean => (stage.course?.frames.length ?? 0) > 0
  const step = (id: string, title: string, key: string, by: number): Command => ({
    ...onStage, id, title, keys: [key], enabled: hasFrames, run: () => {
      player.stop()
      stage.stepFrames(by)
    },
  })
  const jump = (id: string, title: string, key: string, to: () => number): Command => ({
    ...onStage, id, title, keys: [key], enabled: hasFrames, run: () => {
      player.stop()
      stage.scrubTo(to())
    },
  })

  return [
    ...ids.map((id, index): Command => ({
      ...onStage, id, title: `Show or hide: ${pictureTitles[index]}`, keys: [String(index + 1)], run: () => toggle(index as PictureIndex),
    })),
    { ...onStage, id: 'zoom-100', title: 'Show pictures at 100%', keys: ['0'], run: () => pictures.actualSize() },
    { ...onStage, id: 'fit', title: 'Fit the pictures, or the part that the classifier sees', run: () => pictures.fit() },
    { ...onStage, id: 'zoom-in', title: 'Zoom in', keys: ['+', '='], run: () => pictures.zoomBy(1.25) },
    { ...onStage, id: 'zoom-out', title: 'Zoom out', keys: ['-'], run: () => pictures.zoomBy(0.8) },
    { ...onStage, id: 'fill-window', title: 'Let the stage fill the window, or not', run: () => void (stage.filling = !stage.filling) },
    { ...onStage, id: 'log-scale', title: 'Losses on a log scale, or linear', keys: ['L'], run: () => session.change({ logScale: !session.settings.logScale }) },
    {
      ...onStage, id: 'normalisation', title: 'Next normalisation of the map', keys: ['N'], run: () => {
        const at = normalisations.indexOf(session.settings.stage.normalisation)
        session.changeStage({ normalisation: normalisations[(at + 1) % normalisations.length]! })
      },
    },
    {
      ...onStage, id: 'blink', title: 'Blink between the two compared runs', keys: ['B'], enabled: () => runs.other !== null && stage.subject === 'run',
      run: () => void (stage.blinked = !stage.blinked),
    },
    {
      // Of a run that is live, the same key pauses and resumes it.
      ...onStage, id: 'play', title: 'Play the evolution of the mask', keys: ['Space'],
      enabled: () => hasFrames() && !runs.live.some((row) => row.run === stage.shownRun), run: () => player.toggle(),
    },
    step('frame-left', 'One frame back', 'ArrowLeft', -1),
    step('frame-right', 'One frame on', 'ArrowRight', 1),
    step('frames-left', 'Ten frames back', 'Shift+ArrowLeft', -10),
    step('frames-right', 'Ten frames on', 'Shift+ArrowRight', 10),
    jump('frame-first', 'First frame', 'Home', () => 0),
    jump('frame-last', 'Last frame', 'End', () => stage.last),
  ]
}
