import { fork } from 'node:child_process'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import { workerEnvironment } from './environment.ts'

/** How a process ended. */
export interface Death {
  code: number | null
  signal: NodeJS.Signals | null
  /** The last of what it wrote to standard error. */
  lastWords: string
}

/** The channel to one worker process, whatever started it. */
export interface Wire {
  readonly pid: number | undefined
  send(message: WorkerRequest): void
  onReply(listener: (reply: WorkerReply) => void): void
  /** Called once. */
  onDeath(listener: (death: Death) => void): void
  /** At once, whatever it is doing. */
  kill(): void
}

export type Launch = () => Wire

const lastWordsLength = 8192

/**
 * Starts workers with `child_process.fork`; they end when this process does.
 * @param workerPath the built worker.js
 * @param execArgv options of Node for the workers; none of this process's own are passed on
 */
export function forkLauncher(workerPath: string, execArgv: readonly string[] = []): Launch {
  return () => {
    const child = fork(workerPath, [], {
      serialization: 'advanced',
      execArgv: [...execArgv],
      env: workerEnvironment(),
      // Nothing that a library prints may reach the program's own output, which can be a JSON document.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let lastWords = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString('utf8')).slice(-lastWordsLength)
    })
    return {
      pid: child.pid,
      send(message) {
        // A failure to send shows as the death of the process, which is reported once.
        if (child.connected) child.send(message, () => undefined)
      },
      onReply: (listener) => void child.on('message', (message) => listener(message as WorkerReply)),
      onDeath(listener) {
        let told = false
        const tell = (code: number | null, signal: NodeJS.Signals | null): void => {
          if (told) return
          told = true
          listener({ code, signal, lastWords })
        }
        // 'close' comes after the last of standard error; 'error' where the process never started.
        child.on('close', tell)
        child.on('error', (error) => {
          if (child.pid !== undefined) return
          lastWords += error.message
          tell(null, null)
        })
      },
      kill: () => void child.kill('SIGKILL'),
    }
  }
}
