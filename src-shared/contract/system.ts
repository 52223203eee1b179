import * as z from 'zod/mini'
import { backendIds } from '../domain/backend.ts'
import { executorIds, executorWishes } from '../domain/executor.ts'
import { normalisations } from '../imaging/normalisation.ts'
import { call, stream } from './define.ts'
import { count, handle, nothing, text } from './values.ts'

const backendId = z.enum(backendIds)

export const fileKinds = ['model', 'image', 'study', 'benchmark', 'labels', 'card', 'folder', 'other'] as const

/** What files are chosen for; `data` is the folder of a data set, `list` one that is a file, `configs` one of parameters. */
export const choosePurposes = ['model', 'image', 'study', 'labels', 'data', 'list', 'benchmark', 'configs', 'folder'] as const
export type ChoosePurpose = (typeof choosePurposes)[number]

/** A file or folder that the person chose, dropped, uploaded or opened before. */
export const fileEntry = z.object({
  handle,
  /** Without its folders. */
  name: text(),
  kind: z.enum(fileKinds),
  /** Where it lies, for reading only: the folder's path, shortened. */
  place: text(),
  bytes: z.nullable(count),
})
export type FileEntry = z.infer<typeof fileEntry>

export const settings = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  /** Widths and height of the panels in px. */
  layout: z.object({ left: count, right: count, bottom: count }),
  stage: z.object({
    /** Of input, mask, overlay, masked input. */
    shown: z.tuple([z.boolean(), z.boolean(), z.boolean(), z.boolean()]),
    opacity: z.number().check(z.gte(0), z.lte(1)),
    colormap: text(32),
    normalisation: z.enum(normalisations),
    /** Of the map, as a share of its range; parts below are not shown. 0: everything is. */
    threshold: z.number().check(z.gte(0), z.lte(1)),
    contours: z.boolean(),
    smooth: z.boolean(),
    removed: z.enum(['baseline', 'checkerboard', 'dimmed']),
  }),
  logScale: z.boolean(),
  /** What the last session ended with, so that the next begins there. */
  method: text(64),
  /** What runs models from now on: the faster, or the one named. */
  executor: z.enum(executorWishes),
  /** What all engine processes together may take, in MB; null: a quarter of the machine's memory, at least 1,024. */
  memoryMegabytes: z.nullable(z.int().check(z.gte(256), z.lte(4_194_304))),
  /** By a model's sha256: the layer that CAM methods take, where it is not the usual one. */
  camLayers: z.record(text(64), text()),
})
export type Settings = z.infer<typeof settings>

/** What the window is told without having asked. */
export const shellEvent = z.discriminatedUnion('type', [
  /** A menu item: the id of a command of the palette. */
  z.object({ type: z.literal('command'), id: text(64) }),
  /** Opened by double click, by a second start of the program, or from the menu of recent files. */
  z.object({ type: z.literal('open'), file: fileEntry }),
  /** E.g. a worker died, settings could not be read. */
  z.object({ type: z.literal('notice'), level: z.enum(['info', 'error']), message: text(20_000) }),
])
export type ShellEvent = z.infer<typeof shellEvent>

export const system = {
  calls: {
    'system.hello': call(nothing, z.object({
      version: text(32),
      shell: z.enum(['electron', 'web']),
      platform: text(32),
      /** Native dialogs open and save files; otherwise the page shows its own chooser and downloads. */
      nativeDialogs: z.boolean(),
    })),
    /** Starts the first worker where none runs. */
    'system.backend': call(nothing, z.object({
      id: backendId, device: text(), rejected: z.array(z.object({ id: backendId, reason: text() })), workers: count,
      /** That a run may use which has the machine for itself. */
      threads: count,
    })),
    /** The doctor's tables; measures for some seconds. */
    'system.diagnose': call(nothing, z.object({
      backends: z.array(z.object({
        id: backendId, available: z.boolean(), reason: text(), device: z.nullable(text()), convolutionGflops: z.nullable(z.number()), chosen: z.boolean(),
      })),
      executors: z.array(z.object({
        id: z.enum(executorIds), available: z.boolean(), reason: text(), version: z.nullable(text(32)),
        convolutionGflops: z.nullable(z.object({ oneThread: z.number(), allThreads: z.number() })), threads: count, chosen: z.boolean(),
      })),
      rule: text(),
    })),
    /** An error that nobody caught in the page, for the log. */
    'system.report': call(z.object({ message: text(20_000), stack: z.optional(text(20_000)) }), nothing),
    'settings.get': call(nothing, settings),
    'settings.change': call(z.partial(settings), settings),
    /** Native dialog; empty where it was closed. @throws 'unavailable' in the web shell */
    'files.choose': call(z.object({ purpose: z.enum(choosePurposes) }), z.array(fileEntry)),
    /** The server's own chooser below the roots; null: the roots themselves. @throws 'unavailable' in the desktop program */
    'files.browse': call(z.object({ folder: z.nullable(handle) }), z.object({
      /** null: the list of roots. */
      folder: z.nullable(fileEntry), parent: z.nullable(handle), entries: z.array(fileEntry),
      /** What is not listed, e.g. of a folder of more than 2,000 entries; null where all is. */
      note: z.nullable(text()),
    })),
    'files.recent': call(nothing, z.object({ models: z.array(fileEntry), images: z.array(fileEntry), studies: z.array(fileEntry) })),
  },
  streams: {
    'shell.watch': stream(nothing, shellEvent),
  },
}
