import type { FileEntry } from '#shared/contract/system.ts'
import type { Purpose } from '../../stores/files.ts'

export const chooserTitles: Record<Purpose, string> = {
  image: 'Open an image', model: 'Open a model', study: 'Open a study', labels: 'Choose class labels',
  data: 'Choose the folder of a data set', list: 'Choose the list of a data set',
  benchmark: 'Open the folder of a benchmark', configs: 'Choose parameters of methods', folder: 'Choose a folder',
}

/** What it does with what it was asked for: takes it, goes into it, or neither. */
export function useOf(entry: FileEntry, purpose: Purpose): 'take' | 'enter' | null {
  if (entry.kind === kindOf(purpose)) return 'take'
  if (entry.kind === 'folder') return 'enter'
  // A model or a study may be a folder that also holds what is asked for.
  return entry.bytes === null ? 'enter' : null
}

/** What a file must be; null: folders are walked, and taken by the dialog's own button. */
export function kindOf(purpose: Purpose): FileEntry['kind'] | null {
  if (purpose === 'list') return 'labels'
  if (purpose === 'configs') return 'other'
  return purpose === 'data' || purpose === 'folder' ? null : purpose
}

/** Types for the browser's own dialog. */
export const acceptedEndings: Record<Purpose, string> = {
  image: 'image/*', model: '.json,.bin', study: '', labels: '.txt,.csv', data: '', list: '.csv', benchmark: '', configs: '.json', folder: '',
}

export function sizeText(bytes: number | null): string {
  if (bytes === null) return ''
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** By first letters typed, from after the place where the focus is. */
export function findTyped(entries: readonly FileEntry[], typed: string, from: number): number {
  const wanted = typed.toLowerCase()
  // The same letter again goes on to the next; more letters stay where they fit.
  const first = typed.length === 1 ? from + 1 : from
  for (let i = 0; i < entries.length; i++) {
    const at = (first + i) % entries.length
    if (entries[at]!.name.toLowerCase().startsWith(wanted)) return at
  }
  return -1
}
