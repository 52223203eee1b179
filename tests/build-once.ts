import { ensureBuilt } from '../scripts/build/ensure-built.js'

/** Integration tests fork the real worker and run the real CLI, so both are built before any test. */
export default function setup(): void {
  ensureBuilt({ quiet: true })
}
