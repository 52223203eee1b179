import { MaskscopeError } from '#shared/domain/errors.ts'
import type * as Ort from 'onnxruntime-node'

export type Onnxruntime = typeof Ort

export type Loaded =
  | { readonly ort: Onnxruntime; readonly version: string }
  | { readonly ort: null; /** For people, one sentence. */ readonly reason: string }

let loading: Promise<Loaded> | undefined

/** ONNX Runtime where it can run here, else why not. The package is optional and holds native code; it is loaded once. */
export function loadOnnxruntime(): Promise<Loaded> {
  return (loading ??= load())
}

/** @throws MaskscopeError 'unavailable' where ONNX Runtime cannot run here. */
export async function needOnnxruntime(): Promise<{ ort: Onnxruntime; version: string }> {
  const loaded = await loadOnnxruntime()
  if (!loaded.ort) throw new MaskscopeError('unavailable', `${loaded.reason} Choose the executor tfjs instead.`, { subject: 'executor' })
  return loaded
}

async function load(): Promise<Loaded> {
  try {
    const module = await import('onnxruntime-node')
    const ort = (module as { default?: Onnxruntime }).default ?? module
    // whatever goes wrong arrives as an error; nothing is printed
    ort.env.logLevel = 'fatal'
    return { ort, version: ort.env.versions.node ?? ort.env.versions.common }
  } catch (error) {
    return { ort: null, reason: unavailableReason(error, process.platform, process.arch) }
  }
}

/** Why loading the package failed, in words for people. */
export function unavailableReason(error: unknown, platform: string, arch: string): string {
  const message = error instanceof Error ? error.message : String(error)
  const first = message.split('\n')[0]!
  if (/onnxruntime_binding\.node/.test(message) && /cannot find module/i.test(message)) {
    const machine = platform === 'darwin' && arch === 'x64' ? 'Macs with an Intel processor' : `this system (${platform}, ${arch})`
    return `ONNX Runtime is not made for ${machine}.`
  }
  if (/cannot find (module|package) '?onnxruntime-node/i.test(message)) return 'ONNX Runtime is not installed: the optional package onnxruntime-node is missing.'
  return `ONNX Runtime does not load on this machine: ${first.replace(/\.$/, '')}.`
}
