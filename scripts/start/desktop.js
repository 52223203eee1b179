import { spawn } from 'node:child_process'

/**
 * Runs the desktop program and ends as it does.
 * @param {string} binary
 * @param {string} root the program's folder
 * @param {readonly string[]} args
 */
export function startDesktop(binary, root, args) {
  const environment = { ...process.env }
  // It would make a Node of Electron.
  delete environment.ELECTRON_RUN_AS_NODE
  const child = spawn(binary, [root, ...args], { stdio: 'inherit', env: environment })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`The desktop program did not start: ${error.message}. "npm start -- --web" opens Maskscope in the browser.\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 1 : code ?? 1))
}
