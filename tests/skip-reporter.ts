import type { Reporter, TestModule } from 'vitest/node'

/** What a skipped test lacked, by the word in brackets its name begins with. */
const reasons: Record<string, string> = {
  '[data]': 'MASKSCOPE_DATA does not point at the real data sets',
  '[browser]': 'there is no Chromium or Chrome; on Debian install it with "apt-get install chromium", elsewhere install Chrome or set MASKSCOPE_BROWSER',
  '[onnxruntime]': 'onnxruntime-node, an optional dependency, is not installed or does not load on this platform',
  '[onnx-cases]': 'the ONNX node cases are not here; on Debian install them with "apt-get install libonnx-testdata", or set MASKSCOPE_ONNX_CASES',
  '[electron]': 'the Electron binary is not here; "npx install-electron" fetches it',
}

/** Says how many tests were skipped, why, and what to do (see tests/data.ts, tests/browser.ts and tests/onnx.ts). */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>()
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        // Of several the first is what it lacked.
        const [word] = Object.keys(reasons).filter((w) => test.fullName.includes(w)).sort((a, b) => test.fullName.indexOf(a) - test.fullName.indexOf(b))
        if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1)
      }
    }
    for (const [word, count] of counts) process.stdout.write(`\n${count} ${word} tests skipped: ${reasons[word]}\n`)
  }
}
