import { parseArgs } from 'node:util'
import { conformance, table } from './conformance.ts'

/**
 * npm run conformance [-- --dir FOLDER] [--json]
 *
 * Runs the ONNX project's node cases through the importer and TF.js. With --json, standard output holds one JSON document and
 * nothing else. The exit code is 1 where a case fails, 2 where nothing could be run.
 */
try {
  const { values } = parseArgs({ options: { dir: { type: 'string', default: '/usr/share/libonnx-testdata/data/node' }, json: { type: 'boolean', default: false } } })
  const result = await conformance(values.dir)
  process.stdout.write(`${values.json ? JSON.stringify(result, null, 2) : table(result)}\n`)
  process.exitCode = result.failed.length > 0 ? 1 : 0
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 2
}
