import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { readSmallFile } from './files.ts'
import { isCard } from './model-card.ts'
import { isOnnx } from './onnx-files.ts'

/** A folder that holds several models. */
export class SeveralModelsError extends MaskscopeError {
  readonly folder: string
  readonly models: readonly string[]

  constructor(folder: string, models: readonly string[]) {
    const list = models.map((f) => `\n  --model ${f}`).join('')
    super('usage', `The folder ${folder} holds ${models.length} models; say which:${list}`, { subject: '--model' })
    this.folder = folder
    this.models = models
  }
}

/**
 * @param spec a model's file, or a folder that holds one, itself or in one of its own folders
 * @throws SeveralModelsError, and MaskscopeError 'input' where there is none that is read
 */
export async function findModelFile(spec: string): Promise<string> {
  const info = await stat(spec).catch(() => undefined)
  if (info === undefined) {
    throw new MaskscopeError('input', `There is no model at ${spec}: give an .onnx file, a model.json, the folder of either, or "demo".`, { subject: '--model' })
  }
  if (!info.isDirectory()) {
    refuseOtherFormats([spec], spec)
    return spec
  }
  const here = await modelsIn(spec)
  const found = here.length > 0 ? here : (await Promise.all((await subfolders(spec)).map(modelsIn))).flat()
  if (found.length === 1) return found[0]!
  if (found.length > 1) throw new SeveralModelsError(spec, found)
  refuseOtherFormats((await readdir(spec)).map((name) => path.join(spec, name)), spec)
  throw new MaskscopeError('input', `The folder ${spec} holds no .onnx file and no model.json; give the folder of a model, or the model file itself.`, { subject: '--model' })
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.filter((e) => e.isDirectory() && !e.name.startsWith('.')).map((e) => path.join(folder, e.name)).sort()
}

/** .onnx files, model.json, and any other JSON file that has a weights manifest near its end or start. */
async function modelsIn(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const name of (await readdir(folder)).sort()) {
    const file = path.join(folder, name)
    if (isOnnx(name) ? await isFile(file) : name === 'model.json' || (name.endsWith('.json') && !isCard(name) && (await looksLikeModel(file)))) found.push(file)
  }
  return found
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then((info) => info.isFile(), () => false)
}

async function looksLikeModel(file: string): Promise<boolean> {
  const bytes = await readSmallFile(file, 'file', 256 << 20).catch(() => undefined)
  return bytes !== undefined && Buffer.from(bytes).includes('"weightsManifest"') && Buffer.from(bytes).includes('"modelTopology"')
}

/** Files that are known to hold a model, and are not read yet: to be refused as what they are. */
export const otherFormats: Readonly<Record<string, string>> = {
  '.h5': 'a Keras HDF5 model', '.keras': 'a Keras model', '.pb': 'a TensorFlow graph', '.tflite': 'a TFLite model',
  '.pt': 'a PyTorch model', '.pth': 'a PyTorch model', '.bin': 'a weights file',
}

function refuseOtherFormats(files: readonly string[], spec: string): void {
  for (const file of files) {
    const kind = otherFormats[path.extname(file).toLowerCase()]
    if (kind === undefined || (file !== spec && kind === 'a weights file')) continue
    const advice = kind === 'a weights file' ? 'give the model.json beside it' : 'export it to ONNX or TF.js, and open that'
    throw new MaskscopeError('input', `${file} is ${kind}, which this version does not read; ${advice}.`, { subject: '--model' })
  }
}

