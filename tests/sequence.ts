import { readFileSync } from 'node:fs'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Journeys and whole programs before units: a long file that begins last would keep one core busy while the other waits. */
const order = ['e2e', 'integration', 'alone', 'unit']

/** Of one project and one environment: files that share a process. */
function kindOf({ project, moduleId }: TestSpecification): string {
  const environment = /@vitest-environment (\S+)/.exec(readFileSync(moduleId, 'utf8').slice(0, 200))?.[1] ?? 'node'
  return `${order.indexOf(project.name)} ${environment}`
}

/** What can share a process comes one after the other: between two files of different kinds a process ends and its imports are lost. */
export class KindByKind extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const kinds = new Map(files.map((file) => [file, kindOf(file)]))
    return (await super.sort(files)).sort((a, b) => (kinds.get(a)! < kinds.get(b)! ? -1 : kinds.get(a) === kinds.get(b) ? 0 : 1))
  }
}
