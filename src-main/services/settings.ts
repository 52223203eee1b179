import { copyFile, readFile } from 'node:fs/promises'
import path from 'node:path'
import type * as z from 'zod/mini'
import { settings as settingsSchema, type Settings } from '#shared/contract/system.ts'
import { defaultSettings } from '#shared/domain/settings.ts'
import { createFiles, type Files } from '#storage/files.ts'

export const recentKinds = ['models', 'images', 'studies', 'benchmarks'] as const
export type RecentKind = (typeof recentKinds)[number]
const mostRecent = 12

/** What stays from one session to the next. */
export interface SettingsStore {
  get(): Settings
  change(part: { [K in keyof Settings]?: Settings[K] | undefined }): Settings
  /** Absolute paths, or names of bundled models; the latest first, at most 12. They may be gone by now. */
  recent(kind: RecentKind): readonly string[]
  remember(kind: RecentKind, place: string): void
  /** What was wrong with the file, for the person; null where nothing was. */
  readonly notice: string | null
  /** Resolves when everything is written, or cannot be. */
  flush(): Promise<void>
}

export interface SettingsOptions {
  files?: Files
  /** Told once where settings cannot be written; they hold for this session all the same. */
  onProblem?(message: string): void
}

/**
 * Reads the settings. Whatever is missing or wrong in the file is as if never set; a wrong file is kept beside it as
 * settings.damaged.json.
 * @param file absolute
 */
export async function openSettings(file: string, { files = createFiles(), onProblem }: SettingsOptions = {}): Promise<SettingsStore> {
  const { content, notice } = await readSettings(file)
  let writing: Promise<void> = Promise.resolve()
  let waiting = false
  let told = false

  function save(): void {
    if (waiting) return
    waiting = true
    writing = writing.then(async () => {
      waiting = false
      try {
        await files.makeFolder(path.dirname(file))
        await files.write(file, `${JSON.stringify(content, undefined, 2)}\n`)
      } catch (error) {
        if (!told) onProblem?.(`Settings are not kept after this session. ${(error as Error).message}`)
        told = true
      }
    })
  }

  return {
    notice,
    get: () => content.settings,
    change(part) {
      const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))
      content.settings = { ...content.settings, ...given }
      save()
      return content.settings
    },
    recent: (kind) => content.recent[kind],
    remember(kind, place) {
      if (content.recent[kind][0] === place) return
      content.recent[kind] = [place, ...content.recent[kind].filter((other) => other !== place)].slice(0, mostRecent)
      save()
    },
    flush: () => writing,
  }
}

interface Content {
  settings: Settings
  recent: Record<RecentKind, string[]>
}

async function readSettings(file: string): Promise<{ content: Content; notice: string | null }> {
  const fresh: Content = { settings: defaultSettings, recent: { models: [], images: [], studies: [], benchmarks: [] } }
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { content: fresh, notice: gone ? null : `The settings ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); the usual ones hold.` }
  }
  const wrong: string[] = []
  const content = parseContent(text, wrong) ?? fresh
  if (wrong.length === 0) return { content, notice: null }
  const kept = path.join(path.dirname(file), `${path.basename(file, '.json')}.damaged.json`)
  const copied = await copyFile(file, kept).then(() => true, () => false)
  return { content, notice: `The settings in ${file} were damaged (${wrong.join(', ')}); the usual ones hold there.${copied ? ` The file is kept as ${kept}.` : ''}` }
}

/** @param wrong gets the names of the fields that cannot be used */
function parseContent(text: string, wrong: string[]): Content | null {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = null
  }
  if (!isRecord(json)) {
    wrong.push('no whole JSON')
    return null
  }
  const settings = isRecord(json['settings']) || json['settings'] === undefined ? (json['settings'] ?? {}) : (wrong.push('settings'), {})
  const recent = isRecord(json['recent']) ? json['recent'] : {}
  return {
    settings: chooseFields(settingsSchema.shape, settings as Record<string, unknown>, defaultSettings, '', wrong),
    recent: { models: places(recent['models']), images: places(recent['images']), studies: places(recent['studies']), benchmarks: places(recent['benchmarks']) },
  }
}

/** Field by field, and in the groups of fields too: the file's value where it is right, else the usual one. */
function chooseFields<T extends object>(shape: Record<string, z.ZodMiniType>, given: Record<string, unknown>, usual: T, prefix: string, wrong: string[]): T {
  const chosen: Record<string, unknown> = {}
  for (const [name, usualValue] of Object.entries(usual)) {
    const schema = shape[name]
    const value = given[name]
    const parsed = schema?.safeParse(value)
    if (parsed?.success) {
      chosen[name] = parsed.data
      continue
    }
    const inner = (schema as { shape?: Record<string, z.ZodMiniType> } | undefined)?.shape
    if (inner && isRecord(value) && isRecord(usualValue)) chosen[name] = chooseFields(inner, value, usualValue, `${prefix}${name}.`, wrong)
    else {
      chosen[name] = usualValue
      if (value !== undefined) wrong.push(`${prefix}${name}`)
    }
  }
  return chosen as T
}

function places(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string' && item.length > 0 && item.length < 4096).slice(0, mostRecent) as string[] : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
