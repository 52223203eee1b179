import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'

/** Where Debian's libonnx-testdata puts the ONNX project's node cases; MASKSCOPE_ONNX_CASES overrides. */
export const nodeCases = process.env['MASKSCOPE_ONNX_CASES'] ?? '/usr/share/libonnx-testdata/data/node'

/** Without ONNX Runtime or the node cases a skip is a failure: CI sets this. */
const required = process.env['MASKSCOPE_ONNX_REQUIRED'] === '1'

/** Whether onnxruntime-node, an optional dependency, is installed and loads here. */
export const hasOnnxruntime = loads()

function loads(): boolean {
  try {
    createRequire(import.meta.url)('onnxruntime-node')
    return true
  } catch {
    return false
  }
}

/** A test that runs ONNX Runtime: its name says so, and without it it is skipped and counted by the reporter. */
export function onnxruntimeTest(name: string, fn: () => Promise<void> | void, timeout?: number): void {
  needing('[onnxruntime]', hasOnnxruntime, 'onnxruntime-node does not load on this machine.', name, fn, timeout)
}

/** A test on the ONNX project's node cases, likewise. */
export function nodeCaseTest(name: string, fn: () => Promise<void> | void, timeout?: number): void {
  needing('[onnx-cases]', existsSync(nodeCases), `There are no ONNX node cases at ${nodeCases}; install them with "apt-get install libonnx-testdata".`, name, fn, timeout)
}

function needing(word: string, there: boolean, lack: string, name: string, fn: () => Promise<void> | void, timeout: number | undefined): void {
  const title = `${word} ${name}`
  if (there) test(title, fn, timeout)
  else if (required) test(title, () => expect.fail(lack))
  else test.skip(title, fn, timeout)
}
