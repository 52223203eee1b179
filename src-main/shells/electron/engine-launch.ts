import { app, utilityProcess, type Details, type UtilityProcess } from 'electron'
import type { WorkerReply } from '#engine/protocol.ts'
import { workerEnvironment } from '#pool/environment.ts'
import type { Death, Launch } from '#pool/wire.ts'

const lastWordsLength = 8192
/** After the process is gone, for the rest of its standard error and for Electron to say why. */
const epilogueMs = 100

const reasons: Partial<Record<Details['reason'], string>> = {
  oom: 'Error: out of memory',
  'launch-failed': 'Error: the process could not be launched',
  'integrity-failure': 'Error: a code integrity check failed',
}

/** Starts workers as utility processes of Electron; they end when the program does. @param workerPath the built worker.js */
export function utilityLauncher(workerPath: string): Launch {
  let count = 0
  /** Why Electron says that a worker is gone, by its name. */
  const gone = new Map<string, Details['reason']>()
  app.on('child-process-gone', (_event, details) => {
    if (details.name !== undefined && isWorker(details.name)) gone.set(details.name, details.reason)
  })

  return () => {
    const name = `${workerName} ${++count}`
    const child = utilityProcess.fork(workerPath, [], {
      serviceName: name,
      execArgv: [],
      env: scrubbed(),
      // Nothing that a library prints may reach the program's own output.
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const lastWords = keepLastWords(child)
    let alive = true
    let killed = false
    const ended = new Promise<Death>((resolve) => {
      child.once('exit', (code) => {
        alive = false
        setTimeout(() => {
          const why = reasons[gone.get(name) ?? 'clean-exit']
          gone.delete(name)
          resolve(death(code, killed, why === undefined ? lastWords() : `${lastWords()}\n${why}`))
        }, epilogueMs)
      })
    })
    return {
      get pid() {
        return child.pid
      },
      send(message) {
        // Cloned, never transferred: a transferred buffer is lost on the way.
        if (alive) child.postMessage(message)
      },
      onReply: (listener) => void child.on('message', (message) => listener(message as WorkerReply)),
      onDeath: (listener) => void ended.then(listener),
      kill() {
        killed = true
        // Electron asks politely; WebAssembly in the middle of a step does not hear that.
        child.kill()
        try {
          if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
        } catch {
          // It has gone by itself.
        }
      },
    }
  }
}

/** What a worker is called where Electron lists its processes. */
const workerName = 'Maskscope engine'

export function isWorker(name: string): boolean {
  return name.startsWith(`${workerName} `)
}

function keepLastWords(child: UtilityProcess): () => string {
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-lastWordsLength)
  })
  // A failure to send or to start shows as the end of the process, which is reported once.
  child.on('error', (type, location) => {
    words += `\nError: ${type} at ${location}`
  })
  return () => words
}

function death(code: number, killed: boolean, lastWords: string): Death {
  return killed ? { code: null, signal: 'SIGKILL', lastWords } : { code, signal: null, lastWords }
}

function scrubbed(): Record<string, string> {
  return Object.fromEntries(Object.entries(workerEnvironment()).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
