import { spawn } from 'node:child_process'

/** Lint and type checks at the same time, since each keeps one core busy. Ends with 1 where one of them finds something. */
const checks = ['lint', 'typecheck']

const codes = await Promise.all(checks.map((name) => new Promise((resolve) => {
  // npm is a script of the shell on Windows.
  const child = spawn(`npm run ${name}`, { shell: true, stdio: 'inherit' })
  child.once('error', () => resolve(1))
  child.once('exit', (code) => resolve(code ?? 1))
})))
process.exitCode = codes.every((code) => code === 0) ? 0 : 1
