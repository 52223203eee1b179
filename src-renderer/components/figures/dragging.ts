/** What a run is while it is dragged from the list of runs. */
export const runType = 'text/x-maskscope-run'

export function draggedRun(event: DragEvent): string | null {
  const run = event.dataTransfer?.getData(runType) ?? ''
  return run === '' ? null : run
}
