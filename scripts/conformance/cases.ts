import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { OnnxModel, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { readOnnx, readTensor } from '#engine/graph/onnx-format/read.ts'

/** Inputs and outputs of one run, in the order of the model's own. */
export interface DataSet {
  inputs: OnnxTensor[]
  outputs: OnnxTensor[]
}

export interface NodeCase {
  name: string
  model: OnnxModel
  sets: DataSet[]
}

/**
 * Names of the folders that hold a case.
 * @throws Error for a person, where there is no such folder or no case in it
 */
export function caseNames(dir: string): string[] {
  const advice = 'On Debian install them with "apt-get install libonnx-testdata", or name the folder with --dir.'
  if (!existsSync(dir)) throw new Error(`There is no folder ${dir} with the node cases of ONNX. ${advice}`)
  const names = readdirSync(dir).filter((name) => existsSync(path.join(dir, name, 'model.onnx'))).sort()
  if (names.length === 0) throw new Error(`The folder ${dir} holds no node cases (CASE/model.onnx). ${advice}`)
  return names
}

export function readModel(dir: string, name: string): OnnxModel {
  return readOnnx(readFileSync(path.join(dir, name, 'model.onnx')))
}

export function readCase(dir: string, name: string): NodeCase {
  const folder = path.join(dir, name)
  const sets = readdirSync(folder).filter((entry) => entry.startsWith('test_data_set_')).sort()
  return { name, model: readModel(dir, name), sets: sets.map((set) => readSet(path.join(folder, set))) }
}

function readSet(folder: string): DataSet {
  const read = (kind: string): OnnxTensor[] => {
    const count = readdirSync(folder).filter((entry) => entry.startsWith(`${kind}_`) && entry.endsWith('.pb')).length
    return Array.from({ length: count }, (_, i) => readTensor(readFileSync(path.join(folder, `${kind}_${i}.pb`))))
  }
  return { inputs: read('input'), outputs: read('output') }
}
