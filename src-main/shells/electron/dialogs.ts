import path from 'node:path'
import { app, dialog, type BrowserWindow, type FileFilter, type OpenDialogOptions } from 'electron'
import type { ShellHost } from '#main/shell-host.ts'
import { imageEndings } from '#services/images.ts'
import { createFiles } from '#storage/files.ts'
import { safeFileName } from '../file-name.ts'

type Dialogs = NonNullable<ShellHost['dialogs']>
type Purpose = Parameters<Dialogs['open']>[0]

const everything: FileFilter = { name: 'All files', extensions: ['*'] }

const openOptions: Record<Purpose, OpenDialogOptions> = {
  model: { title: 'Open a model', properties: ['openFile'], filters: [{ name: 'Models', extensions: ['onnx', 'json'] }, everything] },
  image: {
    title: 'Open images',
    properties: ['openFile', 'multiSelections'],
    filters: [{ name: 'Images', extensions: imageEndings.map((ending) => ending.slice(1)) }, everything],
  },
  study: { title: 'Open a study', properties: ['openFile'], filters: [{ name: 'Studies', extensions: ['maskscope'] }] },
  data: { title: 'Choose the folder of a data set', properties: ['openDirectory'] },
  list: { title: 'Choose the list of a data set', properties: ['openFile'], filters: [{ name: 'Lists', extensions: ['csv'] }, everything] },
  benchmark: { title: 'Open the folder of a benchmark', properties: ['openDirectory'] },
  configs: { title: 'Choose parameters of methods', properties: ['openFile'], filters: [{ name: 'Parameters', extensions: ['json'] }, everything] },
  folder: { title: 'Choose a folder', properties: ['openDirectory', 'createDirectory'] },
  labels: { title: 'Open the labels of the classes', properties: ['openFile'], filters: [{ name: 'Labels', extensions: ['txt', 'csv', 'json'] }, everything] },
}

const figureNames: Record<string, string> = { '.pdf': 'PDF', '.svg': 'SVG', '.png': 'PNG' }

/** Native dialogs, in front of the window where there is one. */
export function createDialogs(window: () => BrowserWindow | null): Dialogs {
  const files = createFiles()
  let folder: string | null = null
  return {
    async open(purpose) {
      const parent = window()
      const options = openOptions[purpose]
      const { canceled, filePaths } = await (parent ? dialog.showOpenDialog(parent, options) : dialog.showOpenDialog(options))
      return canceled ? [] : filePaths
    },
    async save(name, bytes) {
      const safe = safeFileName(name)
      const ending = path.extname(safe).toLowerCase()
      const options = {
        title: 'Save the file',
        defaultPath: path.join(folder ?? app.getPath('documents'), safe),
        filters: [{ name: figureNames[ending] ?? 'File', extensions: [ending.slice(1) || '*'] }],
      }
      const parent = window()
      const { canceled, filePath } = await (parent ? dialog.showSaveDialog(parent, options) : dialog.showSaveDialog(options))
      if (canceled || filePath === '') return null
      await files.write(filePath, bytes)
      folder = path.dirname(filePath)
      return filePath
    },
  }
}
