import type { Reporter, TestModule } from 'vitest/node'

/** Says how many tests were skipped for want of the real data sets (see tests/data.ts). */
export default class DataReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let skipped = 0
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) if (test.fullName.includes('[data]')) skipped++
    }
    if (skipped > 0) {
      process.stdout.write(`\n${skipped} tests skipped: MASKSCOPE_DATA does not point at the real data sets\n`)
    }
  }
}
