import { MaskscopeError } from '#shared/domain/errors.ts'

/** What ONNX Runtime threw, in words for people that name the model's node where it does. */
export function onnxruntimeError(error: unknown, what: 'prepare' | 'run'): MaskscopeError {
  const message = error instanceof Error ? error.message : String(error)
  if (/bad_alloc|failed to allocate|out of memory|array buffer allocation failed/i.test(message)) {
    return new MaskscopeError('run', 'The memory does not suffice to run the model on so many images at once. Lower the memory budget in the settings, or close other programs.', { cause: error })
  }
  const node = nodeIn(message)
  const where = node === null ? 'the model' : `the model's node ${node}`
  const why = message.replace(/\s+/g, ' ').replace(/\.$/, '')
  return new MaskscopeError('run', `ONNX Runtime cannot ${what} ${where}: ${why}. Choose the executor tfjs instead.`, { ...(node !== null && { subject: node }), cause: error })
}

/** Operators are named node/operator, see `Emitter.within`. */
function nodeIn(message: string): string | null {
  const name = /[Nn]ode(?: with name)?:? ?\(?(?:Name:)? ?'([^']+)'|Name:'([^']+)'|Node \(([^)]+)\)/.exec(message)
  const found = name?.[1] ?? name?.[2] ?? name?.[3]
  if (found === undefined) return null
  const end = found.lastIndexOf('/')
  return (end < 0 ? found : found.slice(0, end)).replace(/ \(gradient\)$/, '')
}
