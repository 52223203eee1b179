import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { Handlers } from '#shared/link/link.ts'
import type { Pool } from '#pool/pool.ts'
import type { Handles } from '#services/handles.ts'
import type { Notices } from '#services/notices.ts'
import type { OpenImages } from '#services/open-images.ts'
import type { OpenModels } from '#services/open-models.ts'
import type { RunBoard } from '#services/run-board.ts'
import type { SettingsStore } from '#services/settings.ts'
import type { OpenedStudy, StudyKeeper } from '#services/study-keeper.ts'
import type { ShellHost } from '../shell-host.ts'

/** What the handlers answer from. */
export interface Parts {
  host: ShellHost
  pool: Pool
  handles: Handles
  settings: SettingsStore
  notices: Notices
  models: OpenModels
  images: OpenImages
  keeper: StudyKeeper
  boardOf(opened: OpenedStudy): RunBoard
  /** An error in the page that nobody caught. */
  log(message: string): void
}

type Calls = Handlers<WorkbenchContract>['calls']
type Streams = Handlers<WorkbenchContract>['streams']

/** The handlers whose names begin with one of the nouns. */
export type CallsOf<Noun extends string> = Pick<Calls, Extract<keyof Calls, `${Noun}.${string}`>>
export type StreamsOf<Noun extends string> = Pick<Streams, Extract<keyof Streams, `${Noun}.${string}`>>
