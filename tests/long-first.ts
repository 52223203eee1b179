import path from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Journeys and whole programs before units: a long file that begins last would keep one core busy while the other waits. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean => /^(e2e|integration)\//.test(path.relative(import.meta.dirname, moduleId).replaceAll('\\', '/'))
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
