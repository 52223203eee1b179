import process from 'node:process'
import { serialiseError } from '#shared/domain/errors.ts'
import { openChannel, type ChildProcess } from './channel.ts'
import { createEngine } from './engine.ts'
import { fatalReason } from './fatal.ts'

/**
 * A worker's entry: a child process of Node, or a utility process of Electron, that hears requests over its channel and
 * answers with events. It does nothing by itself and ends with its parent.
 */
const channel = openChannel(process as ChildProcess)
if (!channel) {
  process.stderr.write('This is the engine worker of Maskscope; it is started by the program itself.\n')
  process.exit(2)
}

// An interrupt at the terminal reaches the whole process group; what it means for a run is for the parent to say.
process.on('SIGINT', () => undefined)
channel.onClose(() => process.exit(0))

const engine = createEngine((message) => channel.send(message), endWith)

channel.onRequest((request) => engine.handle(request))

// Whatever escapes a request still ends that request with words, and then the process: its state is unknown.
process.on('uncaughtException', endWith)
process.on('unhandledRejection', endWith)

function endWith(error: unknown): void {
  const { message } = serialiseError(error)
  const reason = fatalReason(error) ?? `it failed with "${message}"; run it again`
  process.stderr.write(`${error instanceof Error ? error.stack : message}\n`)
  if (!channel!.open) process.exit(1)
  for (const id of engine.openRequests()) {
    void channel!.send({ type: 'failed', id, error: { code: 'worker', message: `The engine process had to be ended: ${reason}.` } })
  }
  // Leaves the channel a moment to carry the messages.
  setTimeout(() => process.exit(1), 100)
}
