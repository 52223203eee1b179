/**
 * Why a worker must not go on after an error, in words for a person, or undefined where it can: a WebAssembly trap leaves
 * the backend's heap in an unknown state, and after a failed allocation the next one fails too.
 */
export function fatalReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message } = error
  const memory = /\bOOM\b|out of memory|allocation failed|could not allocate|cannot enlarge memory/i.test(message)
  if (memory) return 'it ran out of memory; run fewer at a time (on the command line: --jobs 1) or take a smaller model'
  // WebAssembly.RuntimeError; JavaScript itself has no error of this name.
  return name === 'RuntimeError' ? `WebAssembly stopped with "${message.slice(0, 300)}"; run it again` : undefined
}
