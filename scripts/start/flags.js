// Plain JavaScript: the launcher runs it before anything is built.
import { parseArgs } from 'node:util'

export const help = `Usage: npm start -- [FLAGS]

Opens the workbench: as a desktop program where Electron is there, in the browser otherwise.

  --web           in the browser, whatever is there
  --no-fetch      do not try to fetch Electron where it is absent
  --studies DIR   keep studies there (desktop: in your documents; browser: ./maskscope-studies)
  --help          this text

In the browser only:
  --port N        listen there (default: any free port)
  --no-open       only print the address
  --root DIR      the page may choose files below it; may be given several times (default: the working folder)
  --backend ID    cuda, wasm or cpu (default: the best there is)
`

/**
 * @param {readonly string[]} args
 * @returns {{ help: boolean, web: boolean, fetch: boolean, webArgs: string[], desktopArgs: string[], unused: string[] }}
 *   unused: flags that say nothing to the desktop program
 * @throws Error with what is wrong
 */
export function readFlags(args) {
  const { values } = parse(args)
  const one = (/** @type {'port' | 'studies' | 'backend'} */ name) => (values[name] === undefined ? [] : [`--${name}`, values[name]])
  const roots = (values.root ?? []).flatMap((root) => ['--root', root])
  const noOpen = values['no-open'] ? ['--no-open'] : []
  const onlyWeb = [...one('port'), ...noOpen, ...roots, ...one('backend')]
  return {
    help: values.help === true, web: values.web === true, fetch: values['no-fetch'] !== true,
    webArgs: [...one('studies'), ...onlyWeb],
    desktopArgs: one('studies'),
    unused: onlyWeb.filter((arg, i) => arg.startsWith('--') && !onlyWeb[i - 1]?.match(/^--(port|root|backend)$/)),
  }
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        web: { type: 'boolean' },
        'no-fetch': { type: 'boolean' },
        'no-open': { type: 'boolean' },
        port: { type: 'string' },
        studies: { type: 'string' },
        root: { type: 'string', multiple: true },
        backend: { type: 'string' },
      },
    })
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message.replace(/\. To specify.*$/s, '')}. "npm start -- --help" lists what there is.`, { cause: error })
  }
}
