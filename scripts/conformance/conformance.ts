import { initWasm } from '#engine/backend/wasm.ts'
import { caseNames, readCase, readModel } from './cases.ts'
import { check } from './check.ts'
import { outOfScope } from './scope.ts'

export interface Finding {
  case: string
  reason: string
}

export interface Conformance {
  cases: number
  passed: number
  failed: Finding[]
  /** By operator, element type or rank, or random. */
  outOfScope: Finding[]
}

/**
 * Runs the ONNX project's node cases through the importer and TF.js on WASM.
 * @param dir holds CASE/model.onnx and CASE/test_data_set_N
 * @throws Error for a person, where there are no cases
 */
export async function conformance(dir: string): Promise<Conformance> {
  const names = caseNames(dir)
  await initWasm()
  const result: Conformance = { cases: names.length, passed: 0, failed: [], outOfScope: [] }
  for (const name of names) {
    const outside = outOfScope(readModel(dir, name), () => readCase(dir, name).sets[0]?.inputs ?? [])
    if (outside) {
      result.outOfScope.push({ case: name, reason: outside })
      continue
    }
    const wrong = await check(readCase(dir, name))
    if (wrong) result.failed.push({ case: name, reason: wrong })
    else result.passed++
  }
  return result
}

/** The cases by reason, most frequent first, then what failed. */
export function table({ cases, passed, failed, outOfScope: outside }: Conformance): string {
  const counts = new Map<string, number>()
  for (const { reason } of outside) {
    const kind = reason.replace(/^(input|output) \S+ /, '$1 ')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const rows = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([reason, count]) => `${String(count).padStart(6)}  ${reason}`)
  return [
    `${cases} cases: ${passed} passed, ${failed.length} failed, ${outside.length} out of scope.`,
    ...(rows.length > 0 ? ['', 'Out of scope', ...rows] : []),
    ...(failed.length > 0 ? ['', 'Failed', ...failed.map((f) => `  ${f.case}: ${f.reason}`)] : []),
  ].join('\n')
}
