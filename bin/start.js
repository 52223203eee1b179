#!/usr/bin/env node
import { ensureBuilt, root } from '../scripts/build/ensure-built.js'
import { chooseShell } from '../scripts/start/choose.js'
import { startDesktop } from '../scripts/start/desktop.js'
import { help, readFlags } from '../scripts/start/flags.js'

const flags = readOrEnd()
if (flags.help) {
  process.stdout.write(help)
} else {
  build()
  const choice = await chooseShell(flags, root)
  if (choice.shell === 'desktop') {
    if (flags.unused.length > 0) process.stderr.write(`${flags.unused.join(', ')} count in the browser only.\n`)
    startDesktop(choice.binary, root, flags.desktopArgs)
  } else {
    if (choice.reason !== null) process.stderr.write(`Maskscope opens in the browser: ${choice.reason}.\n`)
    process.argv.splice(2, Infinity, ...flags.webArgs)
    await import('../out/main/web.js')
  }
}

function readOrEnd() {
  try {
    return readFlags(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}

function build() {
  try {
    ensureBuilt()
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
