import { createDesk } from '#main/desk.ts'
import { workerPath } from '#main/workbench.ts'
import { boot } from './boot.ts'
import { utilityLauncher } from './engine-launch.ts'
import { serveWindow } from './serve-window.ts'

/** The desktop program's entry. */
void boot({
  makeDesk: (options) => createDesk({ ...options, workbench: { launch: utilityLauncher(workerPath()) } }),
  serve: serveWindow,
})
